// Key frames alone, for a finger on the day's line and for going fast: of each only the first bytes
// of its fragment are read, and shown by a second player on top of the first one.

import { api } from "./api.js";
import { ClockMap, windowAround } from "./clock_map.js";
import { addressOf, COMMON, mapOf, shareHeads } from "./stored.js";
import { HOUR_MS } from "./wall_time.js";
import Hls, { Events } from "./vendor/hls.js-1.7.4/hls.min.mjs";

/** @typedef {import("./vendor/hls.js-1.7.4/hls.min.mjs").HlsIFramesOnly} IFramePlayer */
/** @typedef {{wall: number, tookMs: number}} Shown */

const WINDOW_MS = 2 * HOUR_MS;
/** A list that reached past now has grown since. */
const STALE_MS = 10_000;
/** A picture that does not come is not waited for; the next one is asked for. */
const GIVE_UP_MS = 2000;

export class KeyFrames {
  map = new ClockMap([]);
  /** @type {{from: number, to: number}} */
  #window = { from: 0, to: 0 };
  /** @type {Hls | null} */
  #lists = null;
  /** @type {IFramePlayer | null} */
  #player = null;
  /** @type {Promise<void> | null} */
  #opening = null;
  #newest = 0;
  /** When the lists were read. */
  #readAt = 0;

  /**
   * @param {HTMLVideoElement} video shows nothing but key frames
   * @param {string} base address of the look's stream
   * @param {{from: number, to: number}} look ms
   */
  constructor(video, base, look) {
    this.video = video;
    this.base = base;
    this.look = look;
  }

  /** Has the lists around a moment ready, so that its picture comes at once. @param {number} wall ms */
  async prepare(wall) {
    while (this.#opening) await this.#opening;
    const { from, to } = this.#window;
    const hasGrown = to > this.#readAt && Date.now() - this.#readAt > STALE_MS;
    const isKnown = wall < this.map.to || !hasGrown;
    if (this.#player && wall >= from && wall < to && isKnown) return;
    this.#opening = this.#open(wall);
    try {
      await this.#opening;
    } finally {
      this.#opening = null;
    }
  }

  /**
   * Shows the key frame at or before a moment. Where several are asked for, the newest wins.
   * @param {number} wall ms
   * @returns {Promise<Shown | null>} null: another one was asked for meanwhile, or there is none
   */
  async show(wall) {
    const turn = ++this.#newest;
    const began = performance.now();
    await this.prepare(wall);
    const place = this.map.mediaAt(wall);
    if (turn !== this.#newest || !this.#player || !place) return null;
    const seen = presented(this.video);
    this.#player.loadMediaAt(place.media);
    await seen;
    if (turn !== this.#newest) return null;
    return { wall: place.wall, tookMs: performance.now() - began };
  }

  /**
   * Where to go on from a moment: itself, behind a gap, in the next lists; null: nothing more is
   * recorded.
   * @param {number} wall ms
   */
  async onFrom(wall) {
    await this.prepare(Math.min(wall, this.look.to - 1));
    const place = this.map.mediaAt(wall);
    if (place && place.gap?.to !== Infinity) return place.wall;
    const { to } = this.#window;
    return to < this.look.to && to < Date.now() ? to : null;
  }

  close() {
    this.#newest++;
    this.#player?.destroy();
    this.#lists?.destroy();
    this.#player = this.#lists = null;
    this.#window = { from: 0, to: 0 };
  }

  /** @param {number} wall ms */
  async #open(wall) {
    this.#player?.destroy();
    this.#lists?.destroy();
    this.#player = null;
    const window = windowAround(this.look, wall, WINDOW_MS);
    // It only reads which lists there are; it never plays.
    const lists = new Hls({ ...COMMON, enableWorker: false });
    this.#lists = lists;
    const parsed = new Promise((resolve, reject) => {
      lists.once(Events.MANIFEST_PARSED, resolve);
      lists.on(Events.ERROR, (_, data) => data.fatal && reject(new Error(data.details)));
    });
    this.#readAt = Date.now();
    lists.loadSource(addressOf(this.base, "index.m3u8", window));
    const [told] = await Promise.all([
      api("GET", addressOf(this.base, "map.json", window)),
      parsed,
    ]);
    if (this.#lists !== lists) return;
    this.map = mapOf(told);
    this.#window = window;
    this.#player = lists.createIFramePlayer({ ...COMMON, enableWorker: false });
    const heads = new Map();
    this.#player?.on(Events.LEVEL_UPDATED, (_, { details }) => shareHeads(heads, details));
    this.#player?.attachMedia(this.video);
    this.#player?.startLoad(0); // the list of key frames; no picture yet
  }
}

/** Until the element has presented another picture. @param {HTMLVideoElement} video */
function presented(video) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, GIVE_UP_MS);
    const handle = video.requestVideoFrameCallback?.(done);
    // Where the same picture is shown again, some browsers only say that they looked.
    const looked = () => setTimeout(done, 30);
    video.addEventListener("seeked", looked, { once: true });
    function done() {
      clearTimeout(timer);
      video.removeEventListener("seeked", looked);
      if (handle !== undefined) video.cancelVideoFrameCallback(handle);
      resolve(null);
    }
  });
}

/** Steps a second when going faster than a video element can. */
const STEP_MS = 90;

/** Goes 16 to 64 times as fast as it was, from key frame to key frame; gaps are jumped. */
export class FastForward {
  #isOn = true;

  /**
   * @param {KeyFrames} keys
   * @param {number} rate
   * @param {(wall: number) => void} at told of every picture
   * @param {(wall: number) => void} ended nothing is recorded behind it in this look
   */
  constructor(keys, rate, at, ended) {
    this.keys = keys;
    this.rate = rate;
    this.at = at;
    this.ended = ended;
  }

  /** @param {number} from wall ms */
  async run(from) {
    /** @type {number | null} */
    let wall = from;
    let before = performance.now();
    while (this.#isOn) {
      const last = wall;
      wall = await this.keys.onFrom(last);
      if (!this.#isOn) return;
      if (wall === null) {
        this.stop();
        return this.ended(last);
      }
      const shown = await this.keys.show(wall);
      if (!this.#isOn) return;
      if (shown) this.at(shown.wall);
      const spent = performance.now() - before;
      if (spent < STEP_MS) await new Promise((resolve) => setTimeout(resolve, STEP_MS - spent));
      const now = performance.now();
      wall += (now - before) * this.rate;
      before = now;
    }
  }

  stop() {
    this.#isOn = false;
  }
}
