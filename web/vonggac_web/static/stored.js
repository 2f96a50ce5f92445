// Recordings of one window of a look, in a video element of their own: hls.js over the byte ranges
// of the ring. The place of a wall time is known before anything is loaded, from the same rows.

import { api, ApiError } from "./api.js";
import { ClockMap } from "./clock_map.js";
import Hls, { ErrorDetails, ErrorTypes, Events } from "./vendor/hls.js-1.7.4/hls.min.mjs";

const WORKER = new URL("./vendor/hls.js-1.7.4/hls.worker.js", import.meta.url).href;

/** What both players of this page have in common. */
export const COMMON = {
  enableWorker: true,
  workerPath: WORKER, // without it hls.js tries a blob: worker, which the content policy refuses
  autoStartLoad: false,
  enableInterstitialPlayback: false,
  enableDateRangeMetadataCues: false,
  enableWebVTT: false,
  enableIMSC1: false,
  enableCEA708Captions: false,
};

/** At 8 times the speed this is 15 s of work for the network. */
const AHEAD_S = 60;
const AHEAD_FAST_S = 120;
/** While a picture is sought: no more than it needs, so that nothing keeps its decoder waiting. */
const AHEAD_SOUGHT_S = 0.5;

/** Whether this browser can play recordings at all. */
export function canPlayStored() {
  return Hls.isSupported();
}

/**
 * The map of a window, from the server's rows.
 * @param {{pieces: {wall: number, wall_length: number, media: number, media_length: number}[]}} told
 */
export function mapOf(told) {
  return new ClockMap(
    told.pieces.map((piece) => ({
      wall: piece.wall,
      wallLength: piece.wall_length,
      media: piece.media,
      length: piece.media_length,
    })),
  );
}

/**
 * Segments that were written with the same parameter sets name the same head: it is read once, not
 * once a segment. To be called whenever a list was read, before anything of it is loaded.
 * @param {Map<string, import("./vendor/hls.js-1.7.4/hls.min.mjs").Fragment>} heads known ones
 * @param {{fragments: import("./vendor/hls.js-1.7.4/hls.min.mjs").Fragment[]}} details
 */
export function shareHeads(heads, { fragments }) {
  for (const fragment of fragments) {
    const head = fragment.initSegment;
    if (!head?.relurl) continue;
    const known = heads.get(head.relurl);
    if (known) fragment.initSegment = known;
    else heads.set(head.relurl, head);
  }
}

/** The address of a window. @param {string} base @param {string} file @param {{from: number, to: number}} window */
export function addressOf(base, file, { from, to }) {
  return `${base}/${file}?from=${Math.round(from)}&to=${Math.round(to)}`;
}

/**
 * One window in one video element. Events: `failed` with detail `code`, `grown`.
 */
export class StoredWindow extends EventTarget {
  map = new ClockMap([]);
  #rescues = 1;
  /** @type {Hls | null} */
  #hls;

  /**
   * @param {HTMLVideoElement} video
   * @param {string} base address of the look's stream
   * @param {{from: number, to: number}} window ms
   */
  constructor(video, base, window) {
    super();
    this.video = video;
    this.base = base;
    this.window = window;
    this.#hls = new Hls({
      ...COMMON,
      maxBufferLength: AHEAD_S,
      maxMaxBufferLength: AHEAD_SOUGHT_S, // until the first picture is there
      maxBufferSize: 64 << 20,
      backBufferLength: 60,
      startFragPrefetch: true,
      maxBufferHole: 0.5,
    });
    video.addEventListener("seeking", () => this.#loadAhead(AHEAD_SOUGHT_S));
    for (const there of ["seeked", "loadeddata"])
      video.addEventListener(there, () => this.#loadAhead(AHEAD_FAST_S));
  }

  /**
   * Loads what is needed to show a moment.
   * @param {number} wall ms
   * @returns {Promise<ReturnType<ClockMap["mediaAt"]>>} where that is; null: nothing is recorded here
   */
  async open(wall) {
    const hls = this.#hls;
    if (!hls) return null;
    hls.on(Events.ERROR, (_, data) => this.#onError(data));
    const heads = new Map();
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => {
      shareHeads(heads, details);
      this.#grow(details);
    });
    const parsed = new Promise((resolve, reject) => {
      hls.once(Events.MANIFEST_PARSED, resolve);
      this.addEventListener("failed", (event) => {
        const { code, what } = /** @type {CustomEvent} */ (event).detail;
        reject(new ApiError(code, what, 0));
      });
    });
    parsed.catch(() => {}); // the map may fail first
    hls.loadSource(addressOf(this.base, "index.m3u8", this.window));
    hls.attachMedia(this.video);
    this.map = mapOf(await api("GET", addressOf(this.base, "map.json", this.window)));
    const place = this.map.mediaAt(wall);
    if (!place) return null;
    await parsed;
    this.#hls?.startLoad(place.media);
    return place;
  }

  /** Whether a wall time lies between this window's ends. @param {number} wall ms */
  holds(wall) {
    return wall >= this.window.from && wall < this.window.to;
  }

  /** Wall time of the picture that is shown. */
  get wall() {
    return this.map.wallAt(this.video.currentTime);
  }

  /** Whether the newest picture of the window is shown. */
  get isAtEnd() {
    return this.video.ended || this.video.currentTime >= this.map.mediaEnd - 0.3;
  }

  close() {
    this.#hls?.destroy();
    this.#hls = null;
    this.video.remove();
  }

  /** @param {number} seconds */
  #loadAhead(seconds) {
    if (this.#hls) this.#hls.config.maxMaxBufferLength = seconds;
  }

  /** @param {{live: boolean, fragments: {start: number, duration: number, programDateTime: number | null}[]}} details */
  #grow(details) {
    if (!details.live) return;
    const before = this.map.mediaEnd;
    this.map = this.map.grownBy(details.fragments);
    if (this.map.mediaEnd > before) this.dispatchEvent(new Event("grown"));
  }

  /** @param {import("./vendor/hls.js-1.7.4/hls.min.mjs").ErrorData} data */
  #onError(data) {
    if (!data.fatal) return;
    if (data.type === ErrorTypes.MEDIA_ERROR && this.#rescues-- > 0) {
      this.#hls?.recoverMediaError();
      return;
    }
    const status = data.response?.code ?? 0;
    const codes = { 401: "not-signed-in", 403: "refused", 404: "missing", 410: "gone" };
    const code = /** @type {Record<number, string>} */ (codes)[status];
    const isNetwork = data.type === ErrorTypes.NETWORK_ERROR;
    const isCodec = data.details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    const kind = isCodec ? "codec" : isNetwork ? "unavailable" : "failed";
    this.dispatchEvent(
      new CustomEvent("failed", { detail: { code: code ?? kind, what: data.details } }),
    );
  }
}

/** The stable word of whatever went wrong. @param {unknown} error */
export function codeOf(error) {
  return error instanceof ApiError ? error.code : "failed";
}
