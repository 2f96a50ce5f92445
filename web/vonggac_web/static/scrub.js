// Key frames alone, for a finger on the day's line and for going fast: of each only the first bytes
// of its fragment are read, and shown on top of what plays.

import { api, apiBytes, ApiError } from "./api.js";
import { ClockMap, windowAround } from "./clock_map.js";
import { codecOf, keyAt, keysOf } from "./key_list.js";
import { addressOf, mapOf } from "./stored.js";
import { StillScreen } from "./still_screen.js";
import { HOUR_MS } from "./wall_time.js";

/** @typedef {import("./key_list.js").Key} Key */
/** @typedef {{wall: number, tookMs: number}} Shown */

const WINDOW_MS = 2 * HOUR_MS;
/** A list that reached past now has grown since. */
const STALE_MS = 10_000;

export class KeyFrames {
  map = new ClockMap([]);
  /** @type {{from: number, to: number}} */
  #window = { from: 0, to: 0 };
  /** @type {Key[]} */
  #keys = [];
  /** @type {StillScreen | null} */
  #screen = null;
  #codec = "";
  /** By address, as they were read. @type {Map<string, Promise<Uint8Array<ArrayBuffer>>>} */
  #heads = new Map();
  /** @type {Promise<void> | null} */
  #opening = null;
  /** The picture that is being shown: one after the other. @type {Promise<unknown>} */
  #showing = Promise.resolve();
  #newest = 0;
  /** When the lists were read. */
  #readAt = 0;
  #closed = new AbortController();

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
    if (this.#readAt && wall >= from && wall < to && isKnown) return;
    this.#opening = this.#open(wall);
    try {
      await this.#opening;
    } finally {
      this.#opening = null;
    }
  }

  /**
   * Shows the key frame at or before a moment. One that is on its way is shown first; of those that
   * were asked for behind it, the newest.
   * @param {number} wall ms
   * @returns {Promise<Shown | null>} null: another one was asked for meanwhile, or there is none
   */
  async show(wall) {
    const turn = ++this.#newest;
    const began = performance.now();
    await this.prepare(wall);
    const mine = this.#showing.catch(() => {}).then(() => this.#showOne(turn, wall));
    this.#showing = mine;
    const shown = await mine;
    return shown === null ? null : { wall: shown, tookMs: performance.now() - began };
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
    this.#closed.abort();
    this.#screen?.close();
    this.#screen = null;
    this.#keys = [];
    this.#window = { from: 0, to: 0 };
  }

  /**
   * @param {number} turn
   * @param {number} wall ms
   * @returns {Promise<number | null>} wall ms of the moment that was shown
   */
  async #showOne(turn, wall) {
    const place = this.map.mediaAt(wall);
    const key = place && keyAt(this.#keys, place.media);
    if (turn !== this.#newest || !place || !key) return null;
    const range = { Range: `bytes=${key.first}-${key.last}` };
    const [head, bytes] = await Promise.all([
      this.#head(key.head),
      this.#read(key.uri, range),
    ]).catch((error) => {
      // Given up since the list was read: there is no such picture any more.
      if (error instanceof ApiError && error.code === "gone") return [null, null];
      throw error;
    });
    if (!head || !bytes || this.#closed.signal.aborted) return null;
    this.#screen ??= new StillScreen(this.video, this.#codec);
    await this.#screen.show(key.head, head, bytes);
    return place.wall;
  }

  /** @param {string} name */
  #head(name) {
    const known = this.#heads.get(name);
    if (known) return known;
    const read = this.#read(name, {});
    this.#heads.set(name, read);
    read.catch(() => this.#heads.delete(name));
    return read;
  }

  /** @param {string} name @param {Record<string, string>} headers */
  async #read(name, headers) {
    const { signal } = this.#closed;
    return new Uint8Array(await apiBytes(`${this.base}/${name}`, { headers, signal }));
  }

  /** @param {number} wall ms */
  async #open(wall) {
    const window = windowAround(this.look, wall, WINDOW_MS);
    const { signal } = this.#closed;
    const text = (/** @type {string} */ file) =>
      apiBytes(addressOf(this.base, file, window), { signal }).then((told) =>
        new TextDecoder().decode(told),
      );
    const readAt = Date.now();
    const [lists, keys, told] = await Promise.all([
      text("index.m3u8"),
      text("iframes.m3u8"),
      api("GET", addressOf(this.base, "map.json", window), undefined, { signal }),
    ]);
    if (signal.aborted) return;
    const codec = codecOf(lists) ?? "";
    if (codec !== this.#codec) {
      this.#screen?.close();
      this.#screen = null;
    }
    this.#codec = codec;
    this.#keys = keysOf(keys);
    this.map = mapOf(told);
    this.#window = window;
    this.#readAt = readAt;
  }
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
