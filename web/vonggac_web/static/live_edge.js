// How a live picture stays near to now, and how old it is. Pure: numbers in, decisions out.

/** Behind the newest picture, s: more is caught up with. So much jitter makes no stall. */
export const TARGET_S = 0.12;
const TARGET_MAX_S = 1;
const STALL_STEP_S = 0.06;
/** So much of the room that stalls have made is given back in a second without one. */
const CALM_STEP_S = 0.02;
const JUMP_S = 1.5;
const RATE_MAX = 1.3;
const KEEP_S = 10;
const TRIM_S = 20;
/** A picture this old is told in red. */
export const OLD_MS = 3000;
const LATE_MS = 1000;

/** @typedef {{start: number, end: number}} Range seconds of media time */

/**
 * Where to go, and how fast: null is nowhere.
 * @param {object} now
 * @param {number} now.at s, where the video is
 * @param {Range | null} now.newest the last range that is buffered
 * @param {number} now.rate as it plays now
 * @param {number} now.frame s, how long the newest picture lasts
 * @param {number} now.target s
 * @param {boolean} now.seeksOnly Safari buffers anew whenever the rate changes
 * @returns {{seek: number | null, rate: number}}
 */
export function edgeStep({ at, newest, rate, frame, target, seeksOnly }) {
  if (newest === null) return { seek: null, rate: 1 };
  const picture = Math.max(newest.start, newest.end - frame);
  const behind = picture - at;
  const edge = Math.max(newest.start, picture - target / 2);
  // Before the range: at a hole, or at the very start. Far behind it: what was there is gone.
  const isOutside = at < newest.start || at > newest.end + JUMP_S;
  if (isOutside || behind > JUMP_S) return { seek: edge, rate: 1 };
  if (seeksOnly) return { seek: behind > Math.max(0.8, 2 * target) ? edge : null, rate: 1 };
  // Faster until half of it is left, or it would begin and end all the time.
  const isFast = behind > target || (rate > 1 && behind > target / 2);
  return { seek: null, rate: isFast ? Math.min(RATE_MAX, 1.05 + 0.5 * behind) : 1 };
}

/** The target after a stall: pictures come less evenly than that. @param {number} target s */
export function afterStall(target) {
  return Math.min(TARGET_MAX_S, target + STALL_STEP_S);
}

/** The target after some time without a stall. @param {number} target s @param {number} seconds */
export function afterCalm(target, seconds) {
  return Math.max(TARGET_S, target - CALM_STEP_S * seconds);
}

/**
 * Up to where the past can be thrown away, s; null: not yet. Only whole GOPs: what hangs on a
 * picture that is removed goes with it, up to the next key frame.
 * @param {Range | null} first the first range that is buffered
 * @param {number} at s, where the video is
 * @param {number[]} syncs where key frames begin, rising
 */
export function trimEnd(first, at, syncs) {
  if (first === null || first.start > at - TRIM_S) return null;
  const before = syncs.filter((sync) => sync <= at - KEEP_S && sync > first.start);
  return before.at(-1) ?? null;
}

/** @typedef {{start: number, end: number, wall: number}} Shown */

/**
 * Wall ms of the picture at a media time; null where none is known.
 * @param {Shown[]} shown rising by start @param {number} at s
 */
export function wallAt(shown, at) {
  const found = shown.findLast((one) => one.start <= at + 0.001);
  if (found === undefined) return null;
  return found.wall + 1000 * (Math.min(at, found.end) - found.start);
}

/** Puts one in its place by start. @param {Shown[]} shown @param {Shown} one */
export function insertShown(shown, one) {
  let place = shown.length;
  while (place > 0 && shown[place - 1].start > one.start) place--;
  shown.splice(place, 0, one);
}

/**
 * How old a picture is, in a word and in whole seconds.
 * @param {number} ms
 * @returns {{level: "fresh" | "late" | "old", seconds: number}}
 */
export function ageOf(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (ms >= OLD_MS) return { level: "old", seconds };
  return { level: ms >= LATE_MS ? "late" : "fresh", seconds };
}
