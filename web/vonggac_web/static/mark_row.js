// <vg-marks>: signs below the day's line where programs say they saw something. For a pointer; the
// list of marks says the same to who does not see it.

import { counted, signs } from "./mark_signs.js";
import { hasText, number, t } from "./page.js";
import { clockText } from "./wall_time.js";

/** @typedef {import("./mark_signs.js").Mark} Mark */

const SAID_MS = 8000;

/** The word for a kind. @param {string} kind */
export function kindWords(kind) {
  return hasText(`mark.${kind}`) ? t(`mark.${kind}`) : t("mark.other", { kind });
}

/** Whose word it is; never a fact. @param {{hook: number, name: string}} mark */
export function sourceWords({ hook, name }) {
  return t("mark.says", { name: name || t("mark.hook", { hook }) });
}

/** Events: `play` (detail: Mark). */
export class VgMarks extends HTMLElement {
  /** @type {import("./timeline_view.js").View} */
  #view = { from: 0, to: 1 };
  /** @type {Mark[]} */
  #marks = [];
  #tip = document.createElement("div");
  #hides = 0;

  connectedCallback() {
    this.#tip.className = "tip";
    this.#tip.hidden = true;
    new ResizeObserver(() => this.#draw()).observe(this);
  }

  /** @param {Mark[]} marks of this camera */
  tell(marks) {
    this.#marks = marks;
    this.hidden = marks.length === 0;
    this.#draw();
  }

  /** @param {import("./timeline_view.js").View} view as the line's */
  show(view) {
    this.#view = view;
    this.#draw();
  }

  #draw() {
    const found = this.hidden ? [] : signs(this.#view, this.clientWidth || 1, this.#marks);
    this.#tip.hidden = true;
    this.replaceChildren(...found.map((sign) => this.#sign(sign)), this.#tip);
  }

  /** @param {{x: number, marks: Mark[]}} sign */
  #sign({ x, marks }) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "mark-sign", tabIndex: -1 });
    button.style.setProperty("left", `${x}px`);
    if (marks.length > 1) button.textContent = number(marks.length);
    button.addEventListener("pointerenter", () => this.#say(x, marks));
    button.addEventListener("pointerleave", () => (this.#tip.hidden = true));
    button.addEventListener("click", () => {
      this.#say(x, marks);
      this.dispatchEvent(new CustomEvent("play", { detail: marks[0] }));
    });
    return button;
  }

  /** @param {number} x @param {Mark[]} marks */
  #say(x, marks) {
    const lines = counted(marks).map((one) => {
      const kind = kindWords(one.kind);
      const what = one.count > 1 ? t("mark.times", { kind, count: number(one.count) }) : kind;
      return `${what}: ${sourceWords(one)}`;
    });
    this.#tip.textContent = [clockText(marks[0].from), ...lines].join("\n");
    this.#tip.hidden = false;
    const left = Math.min(x, Math.max(0, this.clientWidth - this.#tip.offsetWidth));
    this.#tip.style.setProperty("left", `${left}px`);
    clearTimeout(this.#hides);
    // No finger leaves a sign so that the browser would say it.
    this.#hides = setTimeout(() => (this.#tip.hidden = true), SAID_MS);
  }
}

customElements.define("vg-marks", VgMarks);
