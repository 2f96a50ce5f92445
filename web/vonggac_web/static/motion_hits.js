// What a search found, as a list that plays: the newest first, each with the key frame of its
// strongest second where an open look shows it.

import { canShow } from "./camera_controls.js";
import { element } from "./camera_line.js";
import { howLong } from "./how_long.js";
import { number, t } from "./page.js";
import { clockText, dayText } from "./wall_time.js";

/** @typedef {import("./motion_search.js").Hit} Hit */
/** @typedef {import("./look_keeper.js").Look} Look */

const ROWS_MAX = 200;
/** Each is a video element. */
const STILLS_MAX = 16;

/** Where a look's stills lie; the small stream's are enough. @param {Look} look */
export function stillsOf(look) {
  const shown = look.streams.filter(({ codec }) => canShow(codec));
  const stream = shown.find(({ name }) => name === "sub") ?? shown[0];
  return stream ? `/api/v1/looks/${look.id}/${stream.name}/still.mp4` : null;
}

/** Events: `play` (detail: Hit of this camera). */
export class MotionHits extends EventTarget {
  /** @type {Hit[]} */
  hits = [];
  #list = element("motion-hits", HTMLElement);
  #more = element("motion-more", HTMLElement);

  /** @param {string} camera of this page */
  constructor(camera) {
    super();
    this.camera = camera;
    /** @type {Map<string, string>} */
    this.codes = new Map();
  }

  clear() {
    this.hits = [];
    this.#list.replaceChildren();
    this.#more.hidden = true;
  }

  /** The rows stay, their key frames go: the look they came with is over. */
  clearStills() {
    for (const video of this.#list.querySelectorAll("video")) {
      video.remove();
      video.removeAttribute("src");
      video.load(); // what has come of it is let go
    }
  }

  /** More of them. @param {Hit[]} hits @param {Look | null} look that is open */
  add(hits, look) {
    for (const hit of hits) {
      this.hits.push(hit);
      if (this.hits.length <= ROWS_MAX) this.#list.append(this.#row(hit, look));
    }
    this.#more.hidden = this.hits.length <= ROWS_MAX;
    const count = number(this.hits.length - ROWS_MAX);
    this.#more.textContent = this.#more.hidden ? "" : t("motion.more", { count });
  }

  /** @param {Hit} hit @param {Look | null} look */
  #row(hit, look) {
    const row = document.createElement("li");
    const isHere = hit.camera === this.camera;
    const way = isHere ? document.createElement("button") : document.createElement("a");
    if (way instanceof HTMLButtonElement) {
      way.type = "button";
      way.addEventListener("click", () =>
        this.dispatchEvent(new CustomEvent("play", { detail: hit })),
      );
    } else way.href = `/cameras/${hit.camera}?at=${hit.from - 1000}`;
    const still = isHere && look ? this.#still(hit, look) : null;
    if (still) way.append(still);
    const time = document.createElement("strong");
    time.className = "number";
    time.textContent = `${dayText(hit.from).slice(0, 5)} ${clockText(hit.from)}`;
    const what = document.createElement("span");
    what.className = "small";
    what.textContent = this.#words(hit);
    way.append(time, " ", what);
    row.append(way);
    return row;
  }

  /** @param {Hit} hit */
  #words(hit) {
    const words = [
      howLong((hit.to - hit.from) / 1000),
      t("motion.cells-found", { count: number(hit.cells) }),
    ];
    if (hit.camera !== this.camera) words.unshift(this.codes.get(hit.camera) ?? "");
    if (hit.tier === "key") words.push(t("motion.rough"));
    if (hit.is_global) words.push(t("motion.global"));
    return words.join(" · ");
  }

  /** @param {Hit} hit @param {Look} look */
  #still(hit, look) {
    const address = stillsOf(look);
    const isShown = hit.strongest >= look.from && hit.strongest < look.to;
    if (!address || !isShown || this.#list.querySelectorAll("video").length >= STILLS_MAX)
      return null;
    const video = document.createElement("video");
    Object.assign(video, { muted: true, playsInline: true, preload: "auto", tabIndex: -1 });
    video.disablePictureInPicture = true;
    video.setAttribute("aria-hidden", "true");
    video.addEventListener("error", () => video.remove());
    // The key frame before the end of that second: what moved is in it, or not yet.
    video.src = `${address}?at=${Math.min(hit.strongest + 999, look.to - 1)}`;
    return video;
  }
}
