// <vg-region>: a region drawn on the picture, with a mouse or a finger. A rectangle is pulled open, a
// polygon set corner by corner and closed on its first; both are then moved whole or by a corner. Who
// uses neither types the corners beside it (camera_motion.js).

import {
  contains,
  cornerAt,
  isRectangle,
  isRegion,
  moved,
  pictureIn,
  pointAt,
  POINTS_MAX,
  rectangleOf,
  withCorner,
} from "./region_shape.js";

/** @typedef {import("./region_shape.js").Point} Point */
/** @typedef {{kind: "new" | "move" | "corner", from: Point, was: Point[], corner: number}} Drag */

const SVG = "http://www.w3.org/2000/svg";
/** Around a corner; a finger is broad. */
const REACH_PX = { mouse: 10, pen: 14, touch: 24 };

/** Events: `change` (the region is another, perhaps not for long). */
export class VgRegion extends HTMLElement {
  /** @type {Point[]} empty: the whole picture */
  points = [];
  /** @type {Point[][]} what is left out of a search */
  masks = [];
  /** @type {"rectangle" | "polygon"} */
  kind = "rectangle";
  /** Masks that the camera has: seen while something is drawn, and while they are listed. */
  #kept = { shapes: /** @type {Point[][]} */ ([]), areUsed: true, isListed: false };
  #svg = document.createElementNS(SVG, "svg");
  #shape = document.createElementNS(SVG, "polygon");
  /** @type {Point[]} corners of a polygon that is not closed yet */
  #open = [];
  /** @type {Drag | null} */
  #drag = null;

  connectedCallback() {
    if (this.#svg.isConnected) return;
    this.setAttribute("aria-hidden", "true");
    this.#svg.append(this.#shape);
    this.append(this.#svg);
    this.addEventListener("pointerdown", (event) => this.#down(event));
    this.addEventListener("pointermove", (event) => this.#move(event));
    this.addEventListener("pointerup", (event) => this.#up(event));
    this.addEventListener("pointercancel", () => this.#cancel());
    new ResizeObserver(() => this.refresh()).observe(this);
  }

  /** The picture on the screen, in px of this element. */
  get rect() {
    const shown = this.parentElement?.querySelector("video.shown");
    const video = shown instanceof HTMLVideoElement ? shown : null;
    const [across, down] = [video?.videoWidth ?? 0, video?.videoHeight ?? 0];
    return pictureIn(this.clientWidth, this.clientHeight, across, down);
  }

  /** Another region, or none. @param {Point[]} points */
  show(points) {
    this.points = points;
    this.#open = [];
    this.refresh();
  }

  /** Whether there is nothing to be seen of it. */
  get isEmpty() {
    const listed = this.#kept.isListed ? this.#kept.shapes.length : 0;
    return this.points.length + this.masks.length + listed === 0;
  }

  /**
   * What the camera's own masks are, whether searches leave them out, whether they are listed.
   * @param {{shapes?: Point[][], areUsed?: boolean, isListed?: boolean}} told
   */
  tellKept(told) {
    Object.assign(this.#kept, told);
    this.hidden = !this.classList.contains("draws") && this.isEmpty;
    this.refresh();
  }

  /** Where the picture changed its size, too. */
  refresh() {
    const rect = this.rect;
    const onScreen = (/** @type {Point[]} */ points) =>
      points.map(([x, y]) => [rect.left + x * rect.width, rect.top + y * rect.height]);
    const at = onScreen(this.#open.length > 0 ? this.#open : this.points);
    this.#shape.setAttribute("points", at.map((point) => point.join(",")).join(" "));
    for (const old of this.#svg.querySelectorAll(".mask")) old.remove();
    const { shapes, areUsed } = this.#kept;
    const left = /** @type {[string, Point[]][]} */ ([
      ...this.masks.map((mask) => ["mask", mask]),
      ...shapes.map((mask) => [areUsed ? "mask kept" : "mask kept seen", mask]),
    ]);
    for (const [name, mask] of left) {
      const shape = document.createElementNS(SVG, "polygon");
      shape.setAttribute("class", name);
      shape.setAttribute("points", onScreen(mask).join(" "));
      this.#svg.prepend(shape);
    }
    this.#shape.classList.toggle("open", this.#open.length > 0);
    for (const old of this.#svg.querySelectorAll("circle")) old.remove();
    for (const [x, y] of at) {
      const circle = document.createElementNS(SVG, "circle");
      for (const [name, value] of Object.entries({ cx: x, cy: y, r: 5 }))
        circle.setAttribute(name, String(value));
      this.#svg.append(circle);
    }
  }

  /** @param {PointerEvent} event */
  #under(event) {
    const box = this.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  #down(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    this.setPointerCapture(event.pointerId);
    const { x, y } = this.#under(event);
    const { rect } = this;
    const from = pointAt(x, y, rect);
    const kind = /** @type {keyof typeof REACH_PX} */ (event.pointerType);
    const reach = REACH_PX[kind] ?? REACH_PX.mouse;
    if (this.#open.length > 0)
      return this.#setCorner(from, cornerAt(this.#open, x, y, rect, reach));
    const corner = cornerAt(this.points, x, y, rect, reach);
    const was = this.points;
    if (corner >= 0) this.#drag = { kind: "corner", from, was, corner };
    else if (contains(was, from)) this.#drag = { kind: "move", from, was, corner };
    else if (this.kind === "rectangle") this.#drag = { kind: "new", from, was, corner };
    else this.#setCorner(from, -1);
  }

  /** One more of a polygon; on the first it is closed. @param {Point} point @param {number} corner */
  #setCorner(point, corner) {
    if (corner === 0 && isRegion(this.#open)) return this.#become(this.#open, true);
    if (corner < 0 && this.#open.length < POINTS_MAX) this.#open = [...this.#open, point];
    this.refresh();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const drag = this.#drag;
    if (!drag) return;
    const { x, y } = this.#under(event);
    const to = pointAt(x, y, this.rect);
    const { from, was, corner } = drag;
    if (drag.kind === "new") this.#become(rectangleOf(from, to));
    else if (drag.kind === "move") this.#become(moved(was, to[0] - from[0], to[1] - from[1]));
    else this.#become(withCorner(was, corner, to, isRectangle(was)));
  }

  /** @param {PointerEvent} event */
  #up(event) {
    const drag = this.#drag;
    if (!drag) return;
    this.#move(event);
    this.#drag = null;
    // A click beside the region is none.
    if (!isRegion(this.points)) this.#become(drag.was, true);
  }

  #cancel() {
    if (this.#drag) this.#become(this.#drag.was, true);
    this.#drag = null;
  }

  /** @param {Point[]} points @param {boolean} [isWhole] as it is, tell all the same */
  #become(points, isWhole = false) {
    this.show(points);
    if (isWhole || isRegion(points)) this.dispatchEvent(new CustomEvent("change"));
  }
}

customElements.define("vg-region", VgRegion);
