// The day's line of the page: what it is told by the box, its day and zoom, a typed time, and the
// table that says the same in words.

import { api, ApiError } from "./api.js";
import { hasText, t } from "./page.js";
import { clamped, showing } from "./timeline_view.js";
import { VgTimeline } from "./timeline.js";
import {
  clockText,
  DAY_MS,
  dayStart,
  dayText,
  HOUR_MS,
  isoDay,
  MINUTE_MS,
  parseDay,
  parseTyped,
} from "./wall_time.js";

/** @typedef {import("./timeline_view.js").View} View */
/** @typedef {import("./timeline_view.js").Gap} Gap */
/** @typedef {{ranges: [number, number][], gaps: Gap[]}} Recorded */

const PIXELS_MAX = 4096;
const SETTLE_MS = 120;
const REFRESH_MS = 5000;
const ROWS_MAX = 200;
const BACK_MS = 366 * DAY_MS;

/** The words for a gap's reason, as the box names it. @param {string} reason */
export function reasonWords(reason) {
  const key = `gap.${reason.replaceAll(" ", "-")}`;
  return t(hasText(key) ? key : "gap.unknown");
}

/** @template {HTMLElement} T @param {string} id @param {new () => T} kind @returns {T} */
export function element(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no ${kind.name} #${id}`);
  return found;
}

/** Events: `seek` and `scrub`, as <vg-timeline> sends them. */
export class CameraLine extends EventTarget {
  line = element("line", VgTimeline);
  stream = "main";
  #day = element("day", HTMLInputElement);
  #wrong = element("line-wrong", HTMLElement);
  #list = element("list", HTMLDetailsElement);
  #settle = 0;
  #isFitted = false;
  /** @type {AbortController | null} */
  #asked = null;

  /** @param {string} camera 32 hexadecimal digits */
  constructor(camera) {
    super();
    this.camera = camera;
    const { line } = this;
    line.words = (key, values) => t(key, values);
    line.reasonWords = reasonWords;
    this.#passTime();
    line.show({ from: dayStart(line.now), to: dayStart(line.now) + DAY_MS });
    for (const kind of ["seek", "scrub"])
      line.addEventListener(kind, (event) => this.#pass(/** @type {CustomEvent} */ (event)));
    line.addEventListener("view", () => this.#viewChanged());
    element("zoom-in", HTMLElement).addEventListener("click", () => line.zoom(0.5));
    element("zoom-out", HTMLElement).addEventListener("click", () => line.zoom(2));
    element("day-before", HTMLElement).addEventListener("click", () => this.#turnDay(-1));
    element("day-after", HTMLElement).addEventListener("click", () => this.#turnDay(1));
    this.#day.addEventListener("change", () => this.showDay(parseDay(this.#day.value)));
    element("go-to", HTMLFormElement).addEventListener("submit", (event) => this.#typed(event));
    this.#list.addEventListener("toggle", () => this.#fillList());
    setInterval(() => this.#passTime(), 1000);
    setInterval(() => document.hidden || this.#refresh(), REFRESH_MS);
    this.#viewChanged();
  }

  /** A day from midnight to midnight. @param {number | null} midnight */
  showDay(midnight) {
    if (midnight === null) return;
    this.#isFitted = true;
    this.line.show({ from: midnight, to: midnight + DAY_MS });
  }

  focusTime() {
    const field = element("go-to-time", HTMLInputElement);
    field.focus();
    field.select();
  }

  /**
   * What was recorded in a range; throws ApiError.
   * @param {View} range ms @param {number} pixels
   * @param {{signal?: AbortSignal, isPoll?: boolean}} [options] isPoll: nobody asked for it just now
   * @returns {Promise<Recorded>}
   */
  async ask({ from, to }, pixels, options) {
    const query = new URLSearchParams({
      stream: this.stream,
      from: String(Math.round(from)),
      to: String(Math.round(to)),
      pixels: String(Math.min(PIXELS_MAX, Math.max(1, Math.round(pixels)))),
    });
    const path = `/api/v1/cameras/${this.camera}/timeline?${query}`;
    return api("GET", path, undefined, options);
  }

  /**
   * The gap at a moment, as exactly as the box knows it, and when something is recorded again.
   * @param {number} wall ms
   * @returns {Promise<{gap: Gap | null, next: number | null}>}
   */
  async around(wall) {
    // The line is told to a pixel: a gap of seconds is exact only within a short range.
    for (const reach of [HOUR_MS / 4, DAY_MS, BACK_MS / 2]) {
      const range = { from: wall - reach, to: wall + reach };
      const { ranges, gaps } = await this.ask(range, PIXELS_MAX);
      const gap = gaps.find(([from, to]) => from <= wall && wall < to) ?? null;
      const next = ranges.find(([from]) => from > wall)?.[0] ?? null;
      const isWhole = !gap || (gap[0] > range.from && gap[1] < range.to);
      if ((next !== null && isWhole) || range.to > Date.now()) return { gap, next };
    }
    return { gap: null, next: null };
  }

  /** Another stream's line. @param {string} stream */
  of(stream) {
    if (stream === this.stream) return;
    this.stream = stream;
    void this.#load(false);
  }

  /** @param {CustomEvent} event */
  #pass(event) {
    this.dispatchEvent(new CustomEvent(event.type, { detail: event.detail }));
  }

  #passTime() {
    const now = Date.now();
    const { line } = this;
    line.now = now;
    line.limits = { from: dayStart(now) - BACK_MS, to: dayStart(now) + DAY_MS };
    this.#day.max = isoDay(now);
    line.refresh();
  }

  /** @param {number} by days */
  #turnDay(by) {
    const { from, to } = this.line.view;
    this.showDay(dayStart((from + to) / 2) + by * DAY_MS);
  }

  #viewChanged() {
    const { from, to } = this.line.view;
    this.#day.value = isoDay((from + to) / 2);
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => this.#load(false), SETTLE_MS);
  }

  /** What is shown may have gone on since. */
  #refresh() {
    if (this.line.view.to > this.line.now - MINUTE_MS) void this.#load(true);
  }

  /** @param {boolean} isPoll */
  async #load(isPoll) {
    this.#asked?.abort();
    const asked = new AbortController();
    this.#asked = asked;
    const { line } = this;
    const { from, to } = line.view;
    const beside = (to - from) / 2; // so that a little to the side is there at once
    try {
      const pixels = 2 * line.width * devicePixelRatio;
      const range = { from: from - beside, to: to + beside };
      const told = await this.ask(range, pixels, { signal: asked.signal, isPoll });
      this.#wrong.hidden = true;
      line.tell(told.ranges, told.gaps);
      this.#fit();
      this.#fillList();
    } catch (error) {
      if (asked.signal.aborted) return;
      this.#wrong.textContent = error instanceof ApiError ? error.words : t("error.failed");
      this.#wrong.hidden = false;
    }
  }

  /** The first time, a box that has recorded for an hour does not show it as a hair's breadth. */
  #fit() {
    const { line } = this;
    const first = line.ranges[0]?.[0];
    if (this.#isFitted || first === undefined) return;
    this.#isFitted = true;
    const span = (line.now - first) * 1.25;
    if (line.now - first > 3 * HOUR_MS || line.now < first) return;
    const to = line.now + span * 0.1;
    line.show(clamped({ from: to - Math.max(span, 5 * MINUTE_MS), to }, line.limits));
  }

  /** @param {Event} event */
  #typed(event) {
    event.preventDefault();
    const field = element("go-to-time", HTMLInputElement);
    const wrong = element("go-to-wrong", HTMLElement);
    const { from, to } = this.line.view;
    const found = parseTyped(field.value, (from + to) / 2, this.line.now);
    wrong.textContent = "wrong" in found ? t(`time.${found.wrong}`) : "";
    field.setAttribute("aria-invalid", String("wrong" in found));
    if ("wrong" in found) return field.focus();
    this.line.show(showing(this.line.view, found.ms, this.line.limits));
    this.line.moveTo(found.ms);
    this.#pass(new CustomEvent("seek", { detail: found.ms }));
  }

  /** The line in words, for who does not see it. */
  #fillList() {
    if (!this.#list.open) return;
    const { view, ranges, gaps } = this.line;
    /** @type {[number, number, string | null][]} */
    const all = [
      ...ranges.map(([from, to]) => /** @type {[number, number, null]} */ ([from, to, null])),
      ...gaps,
    ];
    const rows = all
      .filter(([from, to]) => to > view.from && from < view.to)
      .sort((a, b) => a[0] - b[0]);
    const shown = rows.slice(0, ROWS_MAX).map((row) => this.#row(...row));
    element("list-rows", HTMLElement).replaceChildren(...shown);
    const more = element("list-more", HTMLElement);
    more.hidden = rows.length <= ROWS_MAX;
    more.textContent = t("camera.list-more", { count: rows.length - ROWS_MAX });
  }

  /** @param {number} from @param {number} to @param {string | null} reason */
  #row(from, to, reason) {
    const row = document.createElement("tr");
    const cells = [from, to].map((at) => `${dayText(at)} ${clockText(at)}`);
    const what = reason === null ? t("camera.is-recorded") : reasonWords(reason);
    for (const text of [...cells, what]) row.insertCell().textContent = text;
    if (reason === null) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = cells[0];
      button.setAttribute("aria-label", t("camera.see-from", { time: cells[0] }));
      button.addEventListener("click", () =>
        this.#pass(new CustomEvent("seek", { detail: Math.ceil(from) })),
      );
      row.cells[0].replaceChildren(button);
    }
    return row;
  }
}
