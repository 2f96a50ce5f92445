// The day of a camera on a canvas: what is recorded, what is not and why, and the moment shown.
// <vg-timeline> is the slider; its list twin, a table beside it, says the same in words.
//
// Dragging on the bars looks through the pictures, dragging on the hours moves the day; wheel and
// two fingers enlarge around themselves.

import { paint, RULER } from "./timeline_paint.js";
import {
  clamped,
  gapAt,
  isRecorded,
  panned,
  showing,
  toWall,
  toX,
  zoomed,
} from "./timeline_view.js";
import { DAY_MS, dayText, clockText } from "./wall_time.js";

/** @typedef {import("./timeline_view.js").View} View */
/** @typedef {import("./timeline_view.js").Gap} Gap */
/** @typedef {(key: string, values?: Record<string, string | number>) => string} Words */

const NEAR_PX = 6;
const CLICK_PX = 4;
const STEP_MS = 1000;

/**
 * Events: `seek` and `scrub` (detail: wall ms), `view` (detail: View, to be loaded).
 */
export class VgTimeline extends HTMLElement {
  /** @type {View} */
  view = { from: 0, to: DAY_MS };
  /** @type {View} where one may go */
  limits = { from: 0, to: DAY_MS };
  /** @type {[number, number][]} */
  ranges = [];
  /** @type {Gap[]} */
  gaps = [];
  /** @type {import("./timeline_paint.js").Moved | null} null: nobody searched */
  motion = null;
  /** The moment shown; NaN before there is one. */
  at = NaN;
  /** The newest moment that can be there. */
  now = 0;
  /** @type {Words} */
  words = (key) => key;
  /** @type {(reason: string) => string} */
  reasonWords = (reason) => reason;
  #canvas = document.createElement("canvas");
  #tip = document.createElement("div");
  #paintAsked = 0;
  /** @type {Map<number, {x: number, y: number}>} */
  #pointers = new Map();
  /** @type {{kind: "scrub" | "pan" | "pinch", x: number, moved: boolean, view: View, span: number} | null} */
  #drag = null;
  #hover = NaN;

  connectedCallback() {
    if (this.#canvas.isConnected) return;
    this.#tip.className = "tip";
    this.#tip.hidden = true;
    this.#tip.setAttribute("aria-hidden", "true");
    this.append(this.#canvas, this.#tip);
    this.tabIndex = 0;
    this.setAttribute("role", "slider");
    new ResizeObserver(() => this.refresh()).observe(this);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.refresh());
    this.addEventListener("keydown", (event) => this.takeKey(event));
    this.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.addEventListener("pointerdown", (event) => this.#down(event));
    this.addEventListener("pointermove", (event) => this.#move(event));
    this.addEventListener("pointerup", (event) => this.#up(event));
    this.addEventListener("pointercancel", (event) => this.#up(event));
    this.addEventListener("pointerleave", () => this.#point(NaN));
  }

  get width() {
    return this.clientWidth || 1;
  }

  /** Another part of the days. @param {View} view */
  show(view) {
    const next = clamped(view, this.limits);
    if (next.from === this.view.from && next.to === this.view.to) return;
    this.view = next;
    this.refresh();
    this.#emit("view", next);
  }

  /** @param {number} factor below 1 enlarges @param {number} [around] wall ms */
  zoom(factor, around = this.#centre()) {
    this.show(zoomed(this.view, factor, around, this.limits));
  }

  /** What was recorded there. @param {[number, number][]} ranges @param {Gap[]} gaps */
  tell(ranges, gaps) {
    this.ranges = ranges;
    this.gaps = gaps;
    this.refresh();
  }

  /** Where a search found motion. @param {import("./timeline_paint.js").Moved | null} motion */
  tellMotion(motion) {
    this.motion = motion;
    this.refresh();
  }

  /**
   * The moment that is shown. Whoever looks at another part of the day is left there.
   * @param {number} wall @param {boolean} [reveal] bring it into view all the same
   */
  moveTo(wall, reveal = false) {
    const wasSeen =
      !Number.isFinite(this.at) || (this.at >= this.view.from && this.at <= this.view.to);
    this.at = wall;
    if (!this.#drag && (reveal || wasSeen)) this.show(showing(this.view, wall, this.limits));
    this.refresh();
  }

  /** What a moment is, in words. @param {number} wall */
  describe(wall) {
    const time = `${dayText(wall)} ${clockText(wall)}`;
    if (isRecorded(this.ranges, wall)) return this.words("timeline.recorded", { time });
    const gap = gapAt(this.gaps, wall, 1);
    if (gap) return this.words("timeline.gap", { time, reason: this.reasonWords(gap[2]) });
    return this.words(wall > this.now ? "timeline.future" : "timeline.nothing", { time });
  }

  /** Paints soon, once. */
  refresh() {
    this.#paintAsked ||= requestAnimationFrame(() => {
      this.#paintAsked = 0;
      this.#paint();
    });
  }

  #paint() {
    paint(this.#canvas, this, { ...this, at: this.at, hover: this.#hover, width: this.width });
    const at = Number.isFinite(this.at) ? this.at : this.#centre();
    this.setAttribute("aria-valuemin", String(Math.round(this.view.from / 1000)));
    this.setAttribute("aria-valuemax", String(Math.round(this.view.to / 1000)));
    const inside = Math.min(Math.max(at, this.view.from), this.view.to);
    this.setAttribute("aria-valuenow", String(Math.round(inside / 1000)));
    this.setAttribute("aria-valuetext", this.describe(at));
  }

  #centre() {
    const { from, to } = this.view;
    return this.at >= from && this.at <= to ? this.at : (from + to) / 2;
  }

  /** @param {string} name @param {unknown} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** @param {number} wall */
  #seek(wall) {
    const at = Math.min(Math.max(wall, this.limits.from), this.now);
    this.moveTo(at);
    this.#emit("seek", at);
  }

  /** A key that was pressed here, or where it means nothing else. @param {KeyboardEvent} event */
  takeKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const at = this.#centre();
    const step = event.shiftKey ? 10 * STEP_MS : STEP_MS;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.#seek(at - step),
      ArrowRight: () => this.#seek(at + step),
      PageUp: () => this.#seek(at - (this.view.to - this.view.from) / 10),
      PageDown: () => this.#seek(at + (this.view.to - this.view.from) / 10),
      Home: () => this.#seek(this.ranges[0]?.[0] ?? this.view.from),
      End: () => this.#seek((this.ranges.at(-1)?.[1] ?? this.view.to) - STEP_MS),
      "+": () => this.zoom(0.5),
      "=": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      _: () => this.zoom(2),
    };
    const found = keys[event.key];
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    found();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const scale = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1;
    const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) {
      const ms = ((sideways * scale) / this.width) * (this.view.to - this.view.from);
      this.show(panned(this.view, ms, this.limits));
    } else {
      const by = Math.min(Math.max(event.deltaY * scale, -300), 300);
      this.zoom(Math.exp(by / 400), this.#wallOf(event));
    }
  }

  /** @param {MouseEvent} event */
  #wallOf(event) {
    return toWall(this.view, this.width, event.clientX - this.getBoundingClientRect().left);
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0) return;
    this.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const onRuler = event.clientY - this.getBoundingClientRect().top < RULER;
    const kind = this.#pointers.size > 1 ? "pinch" : onRuler ? "pan" : "scrub";
    const { x, span } = this.#spread();
    this.#drag = { kind, x, moved: false, view: this.view, span };
    this.#point(NaN);
  }

  /** Middle and width of what the fingers hold. */
  #spread() {
    const xs = [...this.#pointers.values()].map((p) => p.x);
    const x = xs.reduce((sum, one) => sum + one, 0) / xs.length;
    return { x, span: Math.max(20, Math.max(...xs) - Math.min(...xs)) };
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const drag = this.#drag;
    if (!drag || !this.#pointers.has(event.pointerId)) {
      if (event.pointerType === "mouse") this.#point(this.#wallOf(event));
      return;
    }
    this.#pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const { x, span } = this.#spread();
    if (Math.abs(x - drag.x) < CLICK_PX && !drag.moved && drag.kind !== "pinch") return;
    drag.moved = true;
    if (drag.kind === "scrub") {
      const wall = Math.min(this.#wallOf(event), this.now);
      this.moveTo(wall);
      this.#emit("scrub", wall);
      return;
    }
    const left = this.getBoundingClientRect().left;
    const around = toWall(drag.view, this.width, drag.x - left);
    const factor = drag.kind === "pinch" ? drag.span / span : 1;
    const view = zoomed(drag.view, factor, around, this.limits);
    const ms = ((drag.x - x) / this.width) * (view.to - view.from);
    this.show(panned(view, ms, this.limits));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const drag = this.#drag;
    if (!this.#pointers.delete(event.pointerId) || !drag) return;
    if (this.#pointers.size > 0) return;
    this.#drag = null;
    if (event.type === "pointercancel") return;
    if (drag.kind === "scrub" || !drag.moved) this.#seek(this.#wallOf(event));
  }

  /** Says what lies under the pointer. @param {number} wall NaN: nothing does */
  #point(wall) {
    this.#hover = wall;
    this.#tip.hidden = !Number.isFinite(wall);
    if (!this.#tip.hidden) {
      const near = (NEAR_PX / this.width) * (this.view.to - this.view.from);
      const gap = isRecorded(this.ranges, wall) ? null : gapAt(this.gaps, wall, near);
      this.#tip.textContent = gap
        ? this.words("timeline.gap-from-to", {
            from: clockText(gap[0]),
            to: clockText(gap[1]),
            reason: this.reasonWords(gap[2]),
          })
        : this.describe(wall);
      const x = toX(this.view, this.width, wall);
      const room = this.#tip.offsetWidth;
      const left = Math.min(Math.max(x - room / 2, 0), Math.max(0, this.width - room));
      this.#tip.style.setProperty("left", `${left}px`);
    }
    this.refresh();
  }
}

customElements.define("vg-timeline", VgTimeline);
