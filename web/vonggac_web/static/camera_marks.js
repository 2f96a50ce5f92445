// Marks on the page of a camera: what other people's programs say they saw, below the day's line and
// as a list. A machine's word, never a fact; each question is logged as a look.

import { api, ApiError } from "./api.js";
import { page } from "./camera.js";
import { element } from "./camera_line.js";
import { kindWords, sourceWords, VgMarks } from "./mark_row.js";
import { listed } from "./mark_signs.js";
import { hasText, number, t } from "./page.js";
import { clockText, DAY_MS, dayText } from "./wall_time.js";

/** @typedef {import("./mark_signs.js").Mark} Mark */
/** @typedef {{marks: Mark[], is_limited: boolean, complete_from: number | null}} Answer */

const ROWS_MAX = 200;
/** What is played begins so long before the mark. */
const BEFORE_MS = 1000;
const SWITCH = "vonggac-marks";

/** Whether this browser was told not to draw them. */
function isOff() {
  try {
    return localStorage.getItem(SWITCH) === "off";
  } catch {
    return false; // it keeps nothing: they are drawn
  }
}

/** @param {boolean} off */
function keepOff(off) {
  try {
    if (off) localStorage.setItem(SWITCH, "off");
    else localStorage.removeItem(SWITCH);
  } catch {
    // it holds for this page
  }
}

class CameraMarks {
  #row = element("marks-row", VgMarks);
  #list = element("marks-list", HTMLElement);
  #more = element("marks-more", HTMLElement);
  #said = element("marks-said", HTMLElement);
  #isShown = element("marks-shown", HTMLInputElement);
  /** @type {Mark[]} */
  #marks = [];
  /** @type {AbortController | null} */
  #asked = null;

  /** @param {import("./camera.js").CameraPage} page */
  constructor(page) {
    this.page = page;
    this.camera = page.root.dataset.camera ?? "";
    const { line } = page.line;
    this.#isShown.checked = !isOff();
    this.#isShown.addEventListener("change", () => this.#switch());
    this.#row.show(line.view);
    line.addEventListener("view", (event) =>
      this.#row.show(/** @type {CustomEvent} */ (event).detail),
    );
    this.#row.addEventListener("play", (event) =>
      this.#play(/** @type {CustomEvent} */ (event).detail),
    );
    element("marks-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#search();
    });
    page.keeper.addEventListener("opened", () => void this.#showDay());
  }

  #switch() {
    keepOff(!this.#isShown.checked);
    this.#draw();
    if (this.#marks.length === 0) void this.#showDay();
  }

  #draw() {
    const shown = this.#isShown.checked ? this.#marks : [];
    this.#row.tell(shown.filter(({ camera }) => camera === this.camera));
  }

  /** Those of the day that is looked at, with the purpose of that look. */
  async #showDay() {
    const { look } = this.page.keeper;
    if (!this.#isShown.checked || look?.kind !== "stored") return;
    const { from, to, purpose } = look;
    const cameras = [{ camera: this.camera }];
    await this.#ask({ cameras, from, to: Math.min(to, Date.now()), purpose });
  }

  async #search() {
    const purpose = await this.page.given(t("marks.title"));
    if (!purpose) return;
    const { view } = this.page.line.line;
    const to = Math.min(view.to, Date.now());
    const days = Number(element("marks-range", HTMLSelectElement).value);
    const from = days > 0 ? to - days * DAY_MS : Math.min(view.from, to - 1000);
    const kind = element("marks-kind", HTMLSelectElement).value;
    const others = [...document.querySelectorAll("#motion-cameras input:checked")].map((input) => ({
      camera: /** @type {HTMLInputElement} */ (input).value,
    }));
    await this.#ask({
      cameras: [{ camera: this.camera }, ...others],
      from: Math.floor(from),
      to: Math.floor(to),
      kinds: kind ? [kind] : [],
      purpose,
    });
  }

  /** One question at a time. @param {object} question as `POST /api/v1/marks/search` takes it */
  async #ask(question) {
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const { signal } = asked;
    this.#said.textContent = t("marks.running");
    try {
      /** @type {Answer} */
      const answer = await api("POST", "/api/v1/marks/search", question, { signal });
      if (!signal.aborted) this.#tell(answer);
    } catch (error) {
      if (!signal.aborted) this.#said.textContent = wordsOf(error);
    }
  }

  /** @param {Answer} answer */
  #tell({ marks, is_limited, complete_from }) {
    this.#marks = marks;
    this.#draw();
    this.#list.replaceChildren(...listed(marks, ROWS_MAX).map((mark) => this.#item(mark)));
    this.#more.hidden = marks.length <= ROWS_MAX;
    const more = number(marks.length - ROWS_MAX);
    this.#more.textContent = this.#more.hidden ? "" : t("marks.more", { count: more });
    const words = [
      marks.length > 0 ? t("marks.found", { count: number(marks.length) }) : t("marks.none"),
    ];
    if (is_limited && complete_from)
      words.push(t("marks.limited", { time: timeText(complete_from) }));
    this.#said.textContent = words.join(" ");
  }

  /** @param {Mark} mark */
  #item(mark) {
    const row = document.createElement("li");
    const isHere = mark.camera === this.camera;
    const way = isHere ? document.createElement("button") : document.createElement("a");
    if (way instanceof HTMLButtonElement) {
      way.type = "button";
      way.addEventListener("click", () => this.#play(mark));
    } else way.href = `/cameras/${mark.camera}?at=${mark.from - BEFORE_MS}`;
    const time = document.createElement("strong");
    time.className = "number";
    time.textContent = timeText(mark.from);
    const kind = document.createElement("span");
    kind.className = "mark-kind";
    kind.textContent = t("mark.sure", {
      kind: kindWords(mark.kind),
      share: number(mark.score * 100),
    });
    const source = document.createElement("span");
    source.className = "small quiet";
    source.textContent = sourceWords(mark);
    way.append(time, " ", kind, " ", source);
    if (!isHere) way.append(" ", this.#code(mark.camera));
    row.append(way);
    return row;
  }

  /** What people call another camera. @param {string} camera */
  #code(camera) {
    const span = document.createElement("span");
    span.className = "small";
    const label = document.querySelector(`#motion-cameras input[value="${camera}"]`);
    span.textContent = label?.parentElement?.textContent?.trim() ?? "";
    return span;
  }

  /** @param {Mark} mark */
  #play(mark) {
    void this.page.seek(mark.from - BEFORE_MS);
    this.page.player.scrollIntoView({ block: "nearest" });
  }
}

/** @param {number} wall ms */
function timeText(wall) {
  return `${dayText(wall).slice(0, 5)} ${clockText(wall)}`;
}

/** @param {unknown} error */
function wordsOf(error) {
  if (!(error instanceof ApiError)) return t("error.failed");
  const key = `marks.${error.code}`;
  return hasText(key) ? t(key) : error.words;
}

export const marks = new CameraMarks(page);
