// The geometry of the day's line, without a canvas: which wall time stands at which pixel, where the
// hours are written, what lies under a pointer.

import { DAY_MS, HOUR_MS, MINUTE_MS } from "./wall_time.js";

export const SPAN_MIN_MS = MINUTE_MS;
export const SPAN_MAX_MS = DAY_MS;

/** @typedef {{from: number, to: number}} View wall ms */
/** @typedef {[from: number, to: number, reason: string]} Gap wall ms */

/** @param {View} view @param {number} width px @param {number} wall ms */
export function toX(view, width, wall) {
  return ((wall - view.from) / (view.to - view.from)) * width;
}

/** @param {View} view @param {number} width px @param {number} x px */
export function toWall(view, width, x) {
  return view.from + (x / width) * (view.to - view.from);
}

/**
 * A view of `span` no longer than a day and no shorter than a minute, that does not leave `limits`.
 * @param {View} view @param {View} limits
 * @returns {View}
 */
export function clamped(view, limits) {
  const most = Math.min(SPAN_MAX_MS, limits.to - limits.from);
  const span = Math.min(Math.max(view.to - view.from, SPAN_MIN_MS), most);
  const from = Math.min(Math.max(view.from, limits.from), limits.to - span);
  return { from, to: from + span };
}

/**
 * Larger (`factor` < 1) or smaller, `at` staying where it is on the screen.
 * @param {View} view @param {number} factor @param {number} at wall ms @param {View} limits
 */
export function zoomed(view, factor, at, limits) {
  const before = view.to - view.from;
  const span = Math.min(Math.max(before * factor, SPAN_MIN_MS), SPAN_MAX_MS);
  const from = at - ((at - view.from) / before) * span;
  return clamped({ from, to: from + span }, limits);
}

/** @param {View} view @param {number} byMs @param {View} limits */
export function panned(view, byMs, limits) {
  return clamped({ from: view.from + byMs, to: view.to + byMs }, limits);
}

/**
 * The view moved as little as possible so that a moment stands inside, not at its rim.
 * @param {View} view @param {number} wall @param {View} limits
 */
export function showing(view, wall, limits) {
  const span = view.to - view.from;
  const rim = span * 0.05;
  if (wall >= view.from + rim && wall <= view.to - rim) return view;
  if (wall >= view.from && wall <= view.to && (view.from <= limits.from || view.to >= limits.to))
    return view;
  return clamped({ from: wall - span / 4, to: wall + (span * 3) / 4 }, limits);
}

const STEPS_MS = [
  ...[5, 10, 15, 30].map((s) => s * 1000),
  ...[1, 2, 5, 10, 15, 30].map((m) => m * MINUTE_MS),
  ...[1, 2, 3, 6].map((h) => h * HOUR_MS),
];

/**
 * Where times are written: as many as there is room for, at round times.
 * @param {View} view @param {number} width px @param {number} room px that one text takes
 * @returns {{step: number, at: number[]}} wall ms
 */
export function ticks(view, width, room) {
  const span = view.to - view.from;
  const step =
    STEPS_MS.find((one) => (one / span) * width >= room) ?? STEPS_MS[STEPS_MS.length - 1];
  const at = [];
  // Steps up to an hour divide UTC+7 as they divide UTC; those above begin at local midnight.
  const shift = step > HOUR_MS ? 7 * HOUR_MS : 0;
  for (let ms = Math.ceil((view.from + shift) / step) * step - shift; ms <= view.to; ms += step)
    at.push(ms);
  return { step, at };
}

/**
 * The gap at a moment, else the nearest one within `near`; a gap of a second must not need a sharp
 * eye. They come in the order of time and do not overlap.
 * @param {Gap[]} gaps @param {number} wall ms @param {number} near ms
 */
export function gapAt(gaps, wall, near) {
  let best = null;
  let distance = near;
  for (const gap of gaps) {
    const off = wall < gap[0] ? gap[0] - wall : wall >= gap[1] ? wall - gap[1] : -1;
    if (off < distance || off < 0) [best, distance] = [gap, off];
    if (off < 0) break;
  }
  return best;
}

/** Whether a moment lies in one of `ranges`. @param {[number, number][]} ranges @param {number} wall */
export function isRecorded(ranges, wall) {
  return ranges.some(([from, to]) => wall >= from && wall < to);
}

/**
 * Bars of `ranges` in pixels, at least `least` wide, those that touch drawn as one.
 * @param {View} view @param {number} width px @param {readonly (readonly [number, number, ...unknown[]])[]} ranges
 * @param {number} least px
 * @returns {[x: number, width: number][]}
 */
export function bars(view, width, ranges, least) {
  /** @type {[number, number][]} */
  const found = [];
  for (const [from, to] of ranges) {
    if (to <= view.from || from >= view.to) continue;
    const left = Math.max(0, toX(view, width, from));
    const right = Math.min(width, Math.max(toX(view, width, to), left + least));
    const last = found.at(-1);
    if (last && left <= last[0] + last[1]) last[1] = Math.max(last[1], right - last[0]);
    else found.push([left, right - left]);
  }
  return found;
}
