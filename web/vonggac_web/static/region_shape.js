// Regions of a picture, without a browser: corners from 0 to 1 from its upper left, as the box takes
// them. A rectangle is its four corners, clockwise.

/** @typedef {[x: number, y: number]} Point */
/** @typedef {{left: number, top: number, width: number, height: number}} Rect px */

const DECIMALS = 10_000;
/** As the box has it. */
export const POINTS_MAX = 100;

/** @param {number} value */
const inside = (value) => Math.min(Math.max(Math.round(value * DECIMALS) / DECIMALS, 0), 1);

/**
 * Where a picture lies in a box that shows all of it (`object-fit: contain`).
 * @param {number} width px @param {number} height px @param {number} across of the picture
 * @param {number} down 0 where there is none: it fills the box
 * @returns {Rect}
 */
export function pictureIn(width, height, across, down) {
  if (!across || !down) return { left: 0, top: 0, width, height };
  const scale = Math.min(width / across, height / down);
  const [wide, high] = [across * scale, down * scale];
  return { left: (width - wide) / 2, top: (height - high) / 2, width: wide, height: high };
}

/** The point of the picture that lies under a pointer, or the nearest. @param {number} x @param {number} y @param {Rect} rect @returns {Point} */
export function pointAt(x, y, rect) {
  return [inside((x - rect.left) / rect.width), inside((y - rect.top) / rect.height)];
}

/** @param {Point} a @param {Point} b opposite corners @returns {Point[]} */
export function rectangleOf([ax, ay], [bx, by]) {
  const [left, right] = [Math.min(ax, bx), Math.max(ax, bx)];
  const [top, bottom] = [Math.min(ay, by), Math.max(ay, by)];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
}

/** Moved as far as it stays in the picture. @param {Point[]} points @param {number} dx @param {number} dy @returns {Point[]} */
export function moved(points, dx, dy) {
  const within = (/** @type {number[]} */ parts, /** @type {number} */ by) =>
    Math.min(Math.max(by, -Math.min(...parts)), 1 - Math.max(...parts));
  const right = within(
    points.map(([x]) => x),
    dx,
  );
  const down = within(
    points.map(([, y]) => y),
    dy,
  );
  return points.map(([x, y]) => [inside(x + right), inside(y + down)]);
}

/** With one corner elsewhere; a rectangle stays one. @param {Point[]} points @param {number} at @param {Point} to @param {boolean} isRectangle @returns {Point[]} */
export function withCorner(points, at, to, isRectangle) {
  if (isRectangle) return rectangleOf(points[(at + 2) % 4], to);
  return points.map((point, index) => (index === at ? to : point));
}

/** The corner within `reach` px of a pointer, or -1. @param {Point[]} points @param {number} x @param {number} y @param {Rect} rect @param {number} reach */
export function cornerAt(points, x, y, rect, reach) {
  let [best, distance] = [-1, reach];
  points.forEach(([px, py], index) => {
    const off = Math.hypot(rect.left + px * rect.width - x, rect.top + py * rect.height - y);
    if (off <= distance) [best, distance] = [index, off];
  });
  return best;
}

/** Whether a point lies inside. @param {Point[]} points @param {Point} point */
export function contains(points, [x, y]) {
  let isInside = false;
  points.forEach(([bx, by], index) => {
    const [ax, ay] = points[(index || points.length) - 1];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) isInside = !isInside;
  });
  return isInside;
}

/** Whether it has an area. @param {Point[]} points */
export function isRegion(points) {
  let doubled = 0;
  points.forEach(([bx, by], index) => {
    const [ax, ay] = points[(index || points.length) - 1];
    doubled += ax * by - bx * ay;
  });
  return points.length >= 3 && Math.abs(doubled) > 1e-6;
}

/** Whether it is a rectangle as `rectangleOf` makes one. @param {Point[]} points */
export function isRectangle(points) {
  if (points.length !== 4) return false;
  const made = rectangleOf(points[0], points[2]);
  return points.every(([x, y], index) => x === made[index][0] && y === made[index][1]);
}

/** In per cent, to be read and typed: `25,25 50,25 50,60 25,60`. @param {Point[]} points */
export function pointsText(points) {
  const part = (/** @type {number} */ value) => String(Math.round(value * 1000) / 10);
  return points.map(([x, y]) => `${part(x)},${part(y)}`).join(" ");
}

/**
 * What was typed: corners in per cent, `x,y` one after the other; two are those of a rectangle.
 * @param {string} text @returns {Point[] | null} null where it is no such list; [] for nothing
 */
export function parsePoints(text) {
  const words = text.split(/[\s,;]+/).filter(Boolean);
  const numbers = words.map(Number);
  const isRight = numbers.every((one) => one >= 0 && one <= 100) && numbers.length % 2 === 0;
  if (!isRight || numbers.length > 2 * POINTS_MAX) return null;
  /** @type {Point[]} */
  const points = [];
  for (let at = 0; at < numbers.length; at += 2)
    points.push([inside(numbers[at] / 100), inside(numbers[at + 1] / 100)]);
  const region = points.length === 2 ? rectangleOf(points[0], points[1]) : points;
  return region.length === 0 || isRegion(region) ? region : null;
}
