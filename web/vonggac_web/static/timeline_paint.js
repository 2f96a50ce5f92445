// How the day's line is painted. Colours are those of the style sheet, whichever light it is.

import { bars, ticks, toX } from "./timeline_view.js";
import { clockText, dayStart, dayText, minuteText, MINUTE_MS } from "./wall_time.js";

/** Of the hours, from the top, in CSS px. */
export const RULER = 26;
/** Rows below: what is recorded, where a search found motion, and what is not recorded. */
const RECORDED = { top: RULER + 6, height: 34 };
const MOTION = { top: RULER + 6 + 34 + 3, height: 10 };
const GAPS = { top: RULER + 6 + 34 + 16, height: 12 };
/** Half of what the time of the moment shown takes. */
const CURSOR_HALF = 36;
export const HEIGHT = GAPS.top + GAPS.height + 6;

/** @typedef {import("./timeline_view.js").View} View */

/**
 * What a search told: what the index knows, where something may have moved, and where it did; `rough`
 * to 10 s.
 * @typedef {{covered: [number, number][], coarse: [number, number][], hits: [number, number][],
 *   rough: [number, number][]}} Moved wall ms
 */

/**
 * @typedef {object} Picture
 * @property {View} view
 * @property {number} width CSS px
 * @property {[number, number][]} ranges
 * @property {import("./timeline_view.js").Gap[]} gaps
 * @property {Moved | null} motion
 * @property {number} at wall ms of the moment shown, or NaN
 * @property {number} now wall ms
 * @property {number} hover wall ms under the pointer, or NaN
 */

/**
 * Colours by the names of custom properties, as the browser works them out: a property itself would
 * only give the text `light-dark(…)`.
 * @param {HTMLElement} element
 */
function coloursOf(element) {
  const probe = document.createElement("i");
  probe.hidden = true;
  element.append(probe);
  const of = (/** @type {string} */ name) => {
    probe.style.setProperty("color", `var(--${name})`);
    return getComputedStyle(probe).color;
  };
  const colours = {
    ground: of("raised"),
    line: of("line"),
    text: of("text"),
    quiet: of("quiet"),
    recorded: of("recorded"),
    gap: of("bad"),
    moved: of("moved"),
    at: of("text"),
    surface: of("surface"),
    future: of("ground"),
  };
  probe.remove();
  return colours;
}

/** @param {HTMLCanvasElement} canvas @param {HTMLElement} element @param {Picture} picture */
export function paint(canvas, element, picture) {
  const { width } = picture;
  const scale = devicePixelRatio || 1;
  const pixels = [Math.round(width * scale), Math.round(HEIGHT * scale)];
  if (canvas.width !== pixels[0] || canvas.height !== pixels[1])
    [canvas.width, canvas.height] = pixels;
  const context = canvas.getContext("2d");
  if (!context) return;
  context.setTransform(pixels[0] / width, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  const colours = coloursOf(element);
  const font = getComputedStyle(element).fontFamily;
  paintRuler(context, picture, colours, font);
  paintRows(context, picture, colours);
  paintMotion(context, picture, colours);
  paintMoments(context, picture, colours, font);
}

/** @typedef {ReturnType<typeof coloursOf>} Colours */

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {Colours} colours @param {string} font */
function paintRuler(context, { view, width, at: shown }, colours, font) {
  const isFine = view.to - view.from < 20 * MINUTE_MS;
  const cursor = toX(view, width, shown);
  const { at } = ticks(view, width, isFine ? 84 : 60);
  context.font = `12px ${font}`;
  context.textBaseline = "middle";
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.beginPath();
  for (const ms of at) {
    const x = Math.round(toX(view, width, ms)) + 0.5;
    context.moveTo(x, RULER - 5);
    context.lineTo(x, HEIGHT);
  }
  context.stroke();
  for (const ms of at) {
    const isDay = dayStart(ms) === ms;
    const text = isDay ? dayText(ms).slice(0, 5) : isFine ? clockText(ms) : minuteText(ms);
    context.fillStyle = isDay ? colours.text : colours.quiet;
    const half = context.measureText(text).width / 2;
    const x = toX(view, width, ms);
    const inside = Math.min(Math.max(x, half + 1), width - half - 1);
    // Neither half cut off nor half under the time of the moment shown.
    if (Math.abs(inside - x) > half || Math.abs(inside - cursor) < half + CURSOR_HALF) continue;
    context.textAlign = "center";
    context.fillText(text, inside, RULER / 2 - 1);
  }
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {Colours} colours */
function paintRows(context, { view, width, ranges, gaps, now }, colours) {
  const future = Math.min(Math.max(toX(view, width, now), 0), width);
  for (const row of [RECORDED, GAPS]) {
    context.fillStyle = colours.ground;
    context.fillRect(0, row.top, future, row.height);
  }
  context.fillStyle = colours.recorded;
  for (const [x, length] of bars(view, width, ranges, 1))
    context.fillRect(x, RECORDED.top, length, RECORDED.height);
  context.fillStyle = colours.gap;
  for (const [x, length] of bars(view, width, gaps, 2)) {
    context.fillRect(x, GAPS.top, length, GAPS.height);
    if (length > 8) hatch(context, x, length, colours);
  }
}

/** Known ground, a hair for what may be, bars for what is. @param {CanvasRenderingContext2D} context @param {Picture} picture @param {Colours} colours */
function paintMotion(context, { view, width, motion }, colours) {
  if (!motion) return;
  const { top, height } = MOTION;
  const row = (
    /** @type {[number, number][]} */ ranges,
    /** @type {string} */ colour,
    /** @type {number} */ share,
    /** @type {number} */ least,
  ) => {
    context.fillStyle = colour;
    for (const [x, length] of bars(view, width, ranges, least))
      context.fillRect(x, top + height * (1 - share), length, height * share);
  };
  row(motion.covered, colours.ground, 1, 1);
  row(motion.coarse, colours.moved, 0.15, 1);
  row(motion.rough, colours.moved, 0.5, 2);
  row(motion.hits, colours.moved, 1, 2);
}

/** A gap is told apart by its form too. @param {CanvasRenderingContext2D} context @param {number} x @param {number} length @param {Colours} colours */
function hatch(context, x, length, colours) {
  context.save();
  context.beginPath();
  context.rect(x + 1, GAPS.top + 1, length - 2, GAPS.height - 2);
  context.clip();
  context.strokeStyle = colours.surface;
  context.lineWidth = 1.5;
  context.beginPath();
  for (let at = x - GAPS.height; at < x + length; at += 7) {
    context.moveTo(at, GAPS.top + GAPS.height);
    context.lineTo(at + GAPS.height, GAPS.top);
  }
  context.stroke();
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {Picture} picture @param {Colours} colours @param {string} font */
function paintMoments(context, { view, width, at, hover, now }, colours, font) {
  const line = (
    /** @type {number} */ wall,
    /** @type {string} */ colour,
    /** @type {number} */ wide,
  ) => {
    const x = toX(view, width, wall);
    if (!(x >= -1 && x <= width + 1)) return;
    context.fillStyle = colour;
    context.fillRect(x - wide / 2, RULER - 2, wide, HEIGHT - RULER + 2);
  };
  line(now, colours.quiet, 1);
  line(hover, colours.quiet, 1);
  const x = toX(view, width, at);
  if (!(x >= 0 && x <= width)) return;
  // A rim keeps it apart from the bars of either colour.
  line(at, colours.surface, 5);
  line(at, colours.at, 2);
  const text = clockText(at);
  context.font = `600 12px ${font}`;
  const half = context.measureText(text).width / 2 + 5;
  const middle = Math.min(Math.max(x, half), width - half);
  context.fillStyle = colours.at;
  context.fillRect(middle - half, 1, 2 * half, RULER - 4);
  context.fillStyle = colours.surface;
  context.textAlign = "center";
  context.fillText(text, middle, RULER / 2 - 1);
}
