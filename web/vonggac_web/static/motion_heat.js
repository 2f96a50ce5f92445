// Where anything moved in a range, laid over the picture: the more seconds, the hotter.

import { api } from "./api.js";
import { element } from "./camera_line.js";
import { howLong } from "./how_long.js";
import { number, t } from "./page.js";
import { pictureIn } from "./region_shape.js";

export const COLUMNS = 64;
export const ROWS = 36;
/** Of the hottest cell; the picture stays to be seen. */
const ALPHA_MAX = 200;

/**
 * Colours of cells, by the logarithm: a gate that one walks through is seen beside a street.
 * @param {number[]} counts seconds of each cell, row by row
 * @returns {Uint8ClampedArray<ArrayBuffer>} RGBA
 */
export function shades(counts) {
  const most = Math.log1p(Math.max(...counts));
  const pixels = new Uint8ClampedArray(4 * counts.length);
  counts.forEach((count, cell) => {
    if (count <= 0) return;
    const heat = Math.log1p(count) / most;
    pixels.set(
      [255, Math.round(220 * (1 - heat)), 0, Math.round(60 + heat * (ALPHA_MAX - 60))],
      4 * cell,
    );
  });
  return pixels;
}

/** The hottest cell, and where its middle lies. @param {number[]} counts @returns {{count: number, x: number, y: number} | null} null: nothing moved */
export function hottest(counts) {
  const count = Math.max(...counts);
  if (count <= 0) return null;
  const cell = counts.indexOf(count);
  const [column, row] = [cell % COLUMNS, Math.floor(cell / COLUMNS)];
  return { count, x: (column + 0.5) / COLUMNS, y: (row + 0.5) / ROWS };
}

export class MotionHeat {
  #canvas = element("heat", HTMLCanvasElement);
  #button = element("motion-heat", HTMLButtonElement);
  #turn = 0;

  /** @param {HTMLElement} player whose picture it lies over */
  constructor(player) {
    this.player = player;
    new ResizeObserver(() => this.#place()).observe(player);
    player.addEventListener("state", () => this.#place());
  }

  get isShown() {
    return !this.#canvas.hidden;
  }

  /** Also what is still being asked. */
  hide() {
    this.#turn++;
    this.#canvas.hidden = true;
    this.#button.setAttribute("aria-pressed", "false");
  }

  /**
   * Asks, and shows it; gives what is said of it, and how many masks were left out, or null where it
   * was hidden meanwhile. Throws ApiError.
   * @param {object} question as `POST /api/v1/motion/heat` takes it, of one camera
   */
  async show(question) {
    const turn = ++this.#turn;
    const [told] = (await api("POST", "/api/v1/motion/heat", question)).cameras;
    if (turn !== this.#turn) return null;
    const context = this.#canvas.getContext("2d");
    if (!context) throw new TypeError("this browser has no canvas");
    context.putImageData(new ImageData(shades(told.counts), COLUMNS, ROWS), 0, 0);
    const at = hottest(told.counts);
    const values = {
      count: number(at?.count ?? 0),
      x: number(100 * (at?.x ?? 0)),
      y: number(100 * (at?.y ?? 0)),
      long: howLong(told.seconds),
    };
    const words = t(
      told.seconds === 0 ? "motion.not-indexed" : at ? "motion.heat-said" : "motion.heat-none",
      values,
    );
    this.#canvas.setAttribute("aria-label", words);
    this.#canvas.hidden = false;
    this.#button.setAttribute("aria-pressed", "true");
    this.#place();
    return { words, masks: told.masks.length };
  }

  /** Over the picture, not over the bars beside it. */
  #place() {
    const { player } = this;
    const shown = player.querySelector("video.shown");
    const video = shown instanceof HTMLVideoElement ? shown : null;
    const [across, down] = [video?.videoWidth ?? 0, video?.videoHeight ?? 0];
    const rect = pictureIn(player.clientWidth, player.clientHeight, across, down);
    for (const [name, px] of Object.entries(rect)) this.#canvas.style.setProperty(name, `${px}px`);
  }
}
