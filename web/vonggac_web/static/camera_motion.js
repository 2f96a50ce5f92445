// Searching for motion on the page of a camera: where, when and how much is asked here; what is found
// goes to the day's line and to a list. The box asks for a purpose too, and logs every search.

import { ApiError } from "./api.js";
import { element } from "./camera_line.js";
import { howLong } from "./how_long.js";
import { KeptMasks } from "./kept_masks.js";
import { MotionHeat } from "./motion_heat.js";
import { MotionHits } from "./motion_hits.js";
import { MotionSearch } from "./motion_search.js";
import { OtherCameras } from "./other_cameras.js";
import { hasText, number, t } from "./page.js";
import { VgRegion } from "./region.js";
import { parsePoints, pointsText } from "./region_shape.js";
import { showTroubles } from "./trouble_pictures.js";
import { DAY_MS, hoursOf, minutesText } from "./wall_time.js";

/** @typedef {import("./motion_search.js").Line} Line */
/** @typedef {import("./motion_search.js").Range} Range */

/** After the last move of a region that is dragged; every search is a line of the audit chain. */
const SETTLE_MS = 350;
/** What is played begins so long before the motion. */
const BEFORE_MS = 1000;

export class CameraMotion {
  region = element("region", VgRegion);
  #search = new MotionSearch();
  #hits;
  #heat;
  #others;
  #kept;
  #corners = element("motion-corners", HTMLInputElement);
  #wrong = element("motion-wrong", HTMLElement);
  #said = element("motion-said", HTMLElement);
  #hoursFrom = element("motion-hours-from", HTMLInputElement);
  #hoursTo = element("motion-hours-to", HTMLInputElement);
  #settle = 0;
  #turn = 0;
  /** Masks that cameras have, in the search that is told. */
  #leftOut = 0;
  /** What that search says of the hours it was narrowed to. */
  #hoursSaid = "";
  /** @type {{covered: Range[], coarse: Range[], hits: Range[], rough: Range[]}} */
  #moved = { covered: [], coarse: [], hits: [], rough: [] };

  /** @param {import("./camera.js").CameraPage} page */
  constructor(page) {
    this.page = page;
    this.camera = page.root.dataset.camera ?? "";
    this.#hits = new MotionHits(this.camera);
    this.#heat = new MotionHeat(page.player);
    this.#others = new OtherCameras(this.camera, this.#hits.codes);
    this.#kept = new KeptMasks(this.camera, this.region);
    this.#kept.addEventListener("change", () => this.#askSoon());
    page.keeper.addEventListener("closed", () => {
      this.#hits.clearStills();
      this.#heat.hide();
    });
    showTroubles((what) => page.given(what));
    this.#hits.addEventListener("play", (event) => {
      const { from } = /** @type {CustomEvent} */ (event).detail;
      this.#draw(null);
      void page.seek(from - BEFORE_MS);
      page.player.scrollIntoView({ block: "nearest" });
    });
    for (const kind of /** @type {const} */ (["rectangle", "polygon"])) {
      element(`motion-${kind}`, HTMLElement).addEventListener("click", (event) => {
        const button = /** @type {HTMLElement} */ (event.currentTarget);
        this.#draw(button.getAttribute("aria-pressed") === "true" ? null : kind);
      });
    }
    element("motion-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#ask();
    });
    element("motion-heat", HTMLElement).addEventListener("click", () => void this.#showHeat());
    element("motion-mask", HTMLElement).addEventListener("click", () => this.#mask());
    element("motion-whole", HTMLElement).addEventListener("click", () => this.#clear());
    this.#corners.addEventListener("change", () => this.#typed());
    this.region.addEventListener("change", () => {
      this.#corners.value = pointsText(this.region.points);
      this.#tellWrong("");
      this.#askSoon();
    });
  }

  /** Where it is drawn; the picture has to be there. @param {VgRegion["kind"] | null} kind null: no more */
  #draw(kind) {
    const { page, region } = this;
    for (const one of ["rectangle", "polygon"])
      element(`motion-${one}`, HTMLElement).setAttribute("aria-pressed", String(one === kind));
    region.classList.toggle("draws", kind !== null);
    region.hidden = kind === null && region.isEmpty;
    if (kind === null) return;
    region.kind = kind;
    if (page.mode === "none") page.goStored();
    else if (page.mode === "stored") page.player.pause();
    region.refresh();
    page.player.scrollIntoView({ block: "nearest" });
  }

  /** Where anything moved in the range, over the picture; or no more. */
  async #showHeat() {
    if (this.#heat.isShown) return this.#heat.hide();
    const { page } = this;
    const purpose = await page.given(t("motion.title"));
    if (!purpose) return;
    if (page.mode === "none") page.goStored();
    try {
      const { from, to } = this.#range();
      const cameras = [{ camera: this.camera }];
      const kept_masks = this.#kept.areUsed;
      const told = await this.#heat.show({ cameras, from, to, kept_masks, purpose });
      if (told) this.#said.textContent = `${told.words} ${this.#kept.words(told.masks)}`.trim();
    } catch (error) {
      this.#said.textContent = this.#words(error);
    }
  }

  /** What is drawn is left out from now on, as a tree is; of the page alone, the index keeps all. */
  #mask() {
    const { region } = this;
    if (region.points.length === 0) return this.#tellWrong(t("motion.mask-none"));
    region.masks = [...region.masks, region.points];
    region.show([]);
    this.#corners.value = "";
    this.#said.textContent = t("motion.masked", { count: number(region.masks.length) });
    this.#askSoon();
  }

  /** The whole picture again, and nothing found. */
  #clear() {
    this.#heat.hide();
    clearTimeout(this.#settle);
    this.#search.cancel();
    this.region.masks = [];
    this.region.show([]);
    this.#corners.value = "";
    this.#tellWrong("");
    this.#draw(null);
    this.#hits.clear();
    this.page.line.line.tellMotion(null);
    this.#said.textContent = "";
  }

  #typed() {
    const points = parsePoints(this.#corners.value);
    this.#tellWrong(points ? "" : t("motion.corners-wrong"));
    if (!points) return false;
    this.region.show(points);
    this.region.hidden = this.region.isEmpty;
    return true;
  }

  /** @param {string} words empty: nothing is */
  #tellWrong(words) {
    this.#wrong.textContent = words;
    this.#corners.setAttribute("aria-invalid", String(words !== ""));
  }

  #askSoon() {
    clearTimeout(this.#settle);
    this.#search.cancel();
    // Not before somebody has said why.
    if (this.page.purpose) this.#settle = setTimeout(() => void this.#ask(), SETTLE_MS);
  }

  async #ask() {
    clearTimeout(this.#settle);
    if (this.#corners.value !== pointsText(this.region.points) && !this.#typed())
      return this.#corners.focus();
    if (!this.#areHoursWhole()) return this.#said.replaceChildren(t("motion.hours-wrong"));
    const others = this.#others.asked();
    if (!others) return this.#tellWrong(t("motion.corners-wrong"));
    const purpose = await this.page.given(t("motion.title"));
    if (!purpose) return;
    const turn = ++this.#turn;
    this.#hits.clear();
    this.#moved = { covered: [], coarse: [], hits: [], rough: [] };
    this.#leftOut = 0;
    this.#said.textContent = t("motion.running");
    try {
      const question = { ...this.#question(others), purpose };
      await this.#search.ask(question, (line) => this.#take(line));
    } catch (error) {
      if (turn === this.#turn) this.#said.textContent = this.#words(error);
    }
  }

  /** Of a search, wall ms. */
  #range() {
    const { line } = this.page.line;
    const to = Math.min(line.view.to, Date.now());
    const days = Number(element("motion-range", HTMLSelectElement).value);
    const from = days > 0 ? to - days * DAY_MS : Math.min(line.view.from, to - 1000);
    return { from: Math.floor(from), to: Math.floor(to) };
  }

  /** What is half typed would be taken for empty. */
  #areHoursWhole() {
    const wrong = [this.#hoursFrom, this.#hoursTo].filter((input) => {
      input.setAttribute("aria-invalid", String(input.validity.badInput));
      return input.validity.badInput;
    });
    wrong[0]?.focus();
    return wrong.length === 0;
  }

  /** @param {object[]} others cameras, and where */
  #question(others) {
    const hours = hoursOf(this.#hoursFrom.value, this.#hoursTo.value);
    const [from, to] = (hours ?? []).map(minutesText);
    this.#hoursSaid = hours ? t("motion.hours-said", { from, to }) : "";
    const { points, masks } = this.region;
    return {
      cameras: [
        { camera: this.camera, regions: points.length > 0 ? [points] : [], masks },
        ...others,
      ],
      ...this.#range(),
      kept_masks: this.#kept.areUsed,
      cells_min: Number(element("motion-cells", HTMLInputElement).value) || 1,
      hours,
    };
  }

  /** @param {Line} line */
  #take(line) {
    const moved = this.#moved;
    const isHere = "camera" in line && line.camera === this.camera;
    if (line.kind === "covered") this.#leftOut += line.masks.length;
    if (line.kind === "covered" && isHere) moved.covered = line.ranges;
    else if (line.kind === "coarse" && isHere) moved.coarse = [...line.ranges, ...moved.coarse];
    else if (line.kind === "hits") {
      const { look } = this.page.keeper;
      this.#hits.add(line.hits, look?.kind === "stored" ? look : null);
      for (const { camera, from, to, tier } of line.hits)
        if (camera === this.camera) moved[tier === "key" ? "rough" : "hits"].push([from, to]);
    } else if (line.kind === "done") this.#tellDone(line);
    else if (line.kind === "error")
      this.#said.textContent = this.#words(new ApiError(line.error.code, line.error.what, 200));
    // The line wants them in the order of time.
    for (const ranges of Object.values(moved)) ranges.sort((a, b) => a[0] - b[0]);
    this.page.line.line.tellMotion(moved);
  }

  /** @param {Extract<Line, {kind: "done"}>} done */
  #tellDone(done) {
    const { hits } = this.#hits;
    const values = {
      count: number(hits.length),
      long: howLong(done.seconds_searched),
      seconds: number(done.elapsed_ms / 1000, 2),
    };
    const words = [t(hits.length > 0 ? "motion.found" : "motion.none", values)];
    if (done.seconds_searched === 0) words.splice(0, 1, t("motion.not-indexed"));
    words.push(this.#hoursSaid);
    if (done.is_limited) words.push(t("motion.limited"));
    if (hits.some(({ tier }) => tier === "key")) words.push(t("motion.rough-why"));
    words.push(this.#kept.words(this.#leftOut), ...this.#others.words());
    this.#said.textContent = words.filter(Boolean).join(" ");
  }

  /** @param {unknown} error */
  #words(error) {
    if (!(error instanceof ApiError)) return t("error.failed");
    const wrong = {
      region: "motion.corners-wrong",
      masks: "masks.hide-all",
      hours: "motion.hours-wrong",
    };
    const field = /** @type {keyof typeof wrong} */ (error.field);
    const key = wrong[field] ?? `motion.${error.code}`;
    return hasText(key) ? t(key) : error.words;
  }
}
