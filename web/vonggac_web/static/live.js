// A live picture: access units from the page's socket into a video element, kept near to now.
// After an error of the browser's decoder the source is made anew and the view asked for again; the
// socket stays.

import {
  afterCalm,
  afterStall,
  ageOf,
  edgeStep,
  insertShown,
  TARGET_S,
  trimEnd,
  wallAt,
} from "./live_edge.js";
import { shownTime } from "./live_wire.js";

/** @typedef {import("./live_wire.js").Message} Message */

const TURN_MS = 100;
const AGE_MS = 250;
const IN_VAIN_MAX = 10;
const IN_VAIN_MS = 2500;
/** After a jump the decoder has to catch up: that is no stall. */
const SETTLE_MS = 1000;
const REBUILDS_MAX = 5;
const REBUILDS_MS = 30_000;
const WAITING_BYTES_MAX = 8 << 20;

/** iPhones have the managed kind alone. @type {typeof MediaSource | undefined} */
const Source = /** @type {any} */ (globalThis).ManagedMediaSource ?? globalThis.MediaSource;
const isSafari = /^((?!chrome|chromium|android).)*safari/i.test(navigator.userAgent);

/** Whether this browser can show it. @param {string} mime such as `video/mp4; codecs="avc1.64001f"` */
export function canPlay(mime) {
  return Source?.isTypeSupported(mime) ?? false;
}

/**
 * Events: `state` (detail: {state, code?}) with the server's states, and `unsupported` (code is the
 * codec), `failed` (the browser cannot decode it), `offline`; `age` (detail: {level, seconds, wall,
 * ms}) four times a second while there is a picture; `damaged`, when one comes that is broken.
 */
export class LiveView extends EventTarget {
  state = "starting";
  #tile = 0;
  #mime = "";
  /** @type {Message | null} */
  #init = null;
  /** @type {MediaSource | null} */
  #source = null;
  /** @type {SourceBuffer | null} */
  #buffer = null;
  #isStreaming = true;
  #needsSync = true;
  #address = "";
  /** @type {Message[]} not appended yet */
  #waiting = [];
  #waitingBytes = 0;
  /** @type {import("./live_edge.js").Shown[]} */
  #shown = [];
  /** @type {number[]} where key frames begin, s */
  #syncs = [];
  #mediaTime = NaN;
  #target = TARGET_S;
  #frame = 0.04;
  #turn = 0;
  #age = 0;
  /** @type {number[]} */
  #rebuilds = [];
  #movedAt = -Infinity;
  /** Up to where pictures are buffered, s; since when, and what was appended since. */
  #end = 0;
  #grewAt = 0;
  #inVain = 0;
  #isClosed = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {import("./socket.js").PageSocket} socket
   */
  constructor(video, socket) {
    super();
    this.video = video;
    this.socket = socket;
    video.muted = true;
    video.playsInline = true;
    video.autoplay = true;
    video.disableRemotePlayback = true; // else a managed source never opens
    video.addEventListener("error", () => this.#rebuild());
    video.addEventListener("waiting", () => this.#stalled());
    video.addEventListener("seeked", () => (this.#movedAt = performance.now()));
    this.#watchFrames();
  }

  /** Begins. @param {string} look @param {string} stream its name */
  show(look, stream) {
    if (!Source) return this.#become("unsupported", "no-source");
    this.#tile = this.socket.watch(look, stream, {
      told: (state) => this.#told(state),
      receive: (message) => this.#receive(message),
      restart: () => this.#restart(),
    });
    this.#turn = setInterval(() => this.#keepUp(), TURN_MS);
    this.#age = setInterval(() => this.#tellAge(), AGE_MS);
    if (!this.socket.isOpen) this.#become("offline");
  }

  /** Ends it and takes the picture away. */
  close() {
    this.#isClosed = true;
    clearInterval(this.#turn);
    clearInterval(this.#age);
    if (this.#tile) this.socket.unwatch(this.#tile);
    this.#tile = 0;
    this.#teardown();
  }

  /** Wall ms of the picture that is shown; NaN without one. */
  get wall() {
    const at = Number.isFinite(this.#mediaTime) ? this.#mediaTime : this.video.currentTime;
    return wallAt(this.#shown, at) ?? NaN;
  }

  /** @param {string} state @param {string} [code] */
  #become(state, code) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, code } }));
  }

  /** @param {{state: string, code?: string, codec?: string, mime?: string}} told */
  #told({ state, code, codec, mime }) {
    if (this.#isClosed) return;
    if (state === "live" && mime) {
      if (!canPlay(mime)) {
        this.socket.unwatch(this.#tile);
        this.#tile = 0;
        return this.#become("unsupported", codec);
      }
      if (mime !== this.#mime) this.#teardown();
      this.#mime = mime;
    }
    this.#become(state, code);
  }

  /** @param {Message} message */
  #receive(message) {
    if (this.#isClosed || !this.#mime) return;
    if (message.kind === "init") {
      // A view's numbers and times begin anew with the first init; a later one goes on.
      this.#init = message;
      this.#needsSync = true;
      if (!this.#source) this.#build();
      else this.#wait(message);
      return;
    }
    if (message.isDamaged) this.dispatchEvent(new Event("damaged"));
    if (this.#needsSync && !message.isSync) return;
    this.#needsSync = false;
    this.#wait(message);
  }

  /** @param {Message} message */
  #wait(message) {
    if (message.isSync && (!this.#isStreaming || this.#waitingBytes > WAITING_BYTES_MAX)) {
      // The browser takes nothing now: it begins here when it does again.
      this.#waiting = this.#waiting.filter((one) => one.kind === "init");
      this.#waitingBytes = 0;
    }
    this.#waiting.push(message);
    this.#waitingBytes += message.data.byteLength;
    this.#append();
  }

  #build() {
    const init = this.#init;
    if (!Source || !init) return;
    const source = new Source();
    this.#source = source;
    this.#isStreaming = !("streaming" in source) || Boolean(source.streaming);
    source.addEventListener("startstreaming", () => {
      this.#isStreaming = true;
      this.#append();
    });
    source.addEventListener("endstreaming", () => (this.#isStreaming = false));
    source.addEventListener("sourceopen", () => {
      if (source !== this.#source) return;
      const buffer = source.addSourceBuffer(this.#mime);
      buffer.mode = "segments";
      buffer.addEventListener("updateend", () => this.#append());
      buffer.addEventListener("error", () => buffer === this.#buffer && this.#rebuild());
      this.#buffer = buffer;
      this.#waiting.unshift(init);
      this.#append();
    });
    this.#address = URL.createObjectURL(source);
    this.video.src = this.#address;
  }

  /** All that waits, in one piece. */
  #append() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.#waiting.length === 0 || !this.#isStreaming) return;
    const messages = this.#waiting;
    const bytes = new Uint8Array(messages.reduce((sum, one) => sum + one.data.byteLength, 0));
    let at = 0;
    for (const { data } of messages) {
      bytes.set(data, at);
      at += data.byteLength;
    }
    try {
      buffer.appendBuffer(bytes);
    } catch (error) {
      if (/** @type {DOMException} */ (error).name === "QuotaExceededError")
        return this.#trim(true);
      return this.#rebuild();
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#inVain += messages.length;
    for (const message of messages) if (message.kind === "media") this.#note(message);
  }

  /** @param {Message} message */
  #note({ data, isSync, wall }) {
    const time = shownTime(data);
    if (!time) return;
    this.#frame = Math.min(1, time.last);
    insertShown(this.#shown, { ...time, wall });
    if (isSync) this.#syncs.push(time.start);
  }

  #keepUp() {
    const { video } = this;
    if (!this.#buffer) return;
    this.#trim(false);
    const ranges = video.buffered;
    const last = ranges.length - 1;
    const newest = last < 0 ? null : { start: ranges.start(last), end: ranges.end(last) };
    if (newest !== null && newest.end > this.#end) {
      this.#end = newest.end;
      this.#grewAt = performance.now();
      this.#inVain = 0;
    } else if (this.#inVain > IN_VAIN_MAX && performance.now() - this.#grewAt > IN_VAIN_MS) {
      // Some decoders say nothing: they take all and show none.
      return this.#rebuild();
    }
    if (newest === null || video.seeking) return;
    this.#target = afterCalm(this.#target, TURN_MS / 1000);
    const step = edgeStep({
      at: video.currentTime,
      newest,
      rate: video.playbackRate,
      frame: this.#frame,
      target: this.#target,
      seeksOnly: isSafari,
    });
    if (step.seek !== null) video.currentTime = step.seek;
    if (video.playbackRate !== step.rate) video.playbackRate = step.rate;
    if (video.paused) video.play().catch(() => {}); // asked again in the next turn
  }

  /** Pictures come less evenly than was thought; unless it has just begun, or was moved. */
  #stalled() {
    if (this.video.seeking || performance.now() - this.#movedAt < SETTLE_MS) return;
    this.#target = afterStall(this.#target);
  }

  /** Throws the past away. @param {boolean} isFull the browser has no room: all but this GOP */
  #trim(isFull) {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.video.buffered.length === 0) return;
    const at = this.video.currentTime;
    const first = { start: this.video.buffered.start(0), end: this.video.buffered.end(0) };
    const end = isFull
      ? this.#syncs.findLast((sync) => sync <= at)
      : trimEnd(first, at, this.#syncs);
    if (end === null || end === undefined || end <= first.start) return;
    try {
      buffer.remove(0, end);
    } catch {
      return this.#rebuild();
    }
    this.#shown = this.#shown.filter((one) => one.end >= end);
    this.#syncs = this.#syncs.filter((sync) => sync >= end);
  }

  /** The browser's decoder gave up: another source, and the view from its newest key frame on. */
  #rebuild() {
    if (this.#isClosed || !this.#source) return;
    const now = performance.now();
    this.#rebuilds = [...this.#rebuilds.filter((at) => at > now - REBUILDS_MS), now];
    this.#teardown();
    if (this.#rebuilds.length > REBUILDS_MAX) {
      this.socket.unwatch(this.#tile);
      this.#tile = 0;
      this.#become("failed", "decode");
      return;
    }
    console.warn("the decoder gave up; it begins anew");
    this.#mime = ""; // what is still on its way is of the view before
    this.socket.again(this.#tile);
  }

  #restart() {
    this.#teardown();
    this.#mime = "";
    this.#become("offline");
  }

  #teardown() {
    this.#source = null;
    this.#buffer = null;
    this.#init = null;
    this.#needsSync = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#shown = [];
    this.#syncs = [];
    this.#mediaTime = NaN;
    this.#end = 0;
    this.#grewAt = performance.now();
    this.#inVain = 0;
    if (!this.#address) return;
    URL.revokeObjectURL(this.#address);
    this.#address = "";
    this.video.removeAttribute("src");
    this.video.load();
  }

  #watchFrames() {
    const one = (/** @type {number} */ _, /** @type {VideoFrameCallbackMetadata} */ frame) => {
      if (this.#isClosed) return;
      this.#mediaTime = frame.mediaTime;
      this.video.requestVideoFrameCallback(one);
    };
    this.video.requestVideoFrameCallback?.(one);
  }

  #tellAge() {
    const { wall } = this;
    if (!Number.isFinite(wall)) return;
    const ahead = Number.isFinite(this.socket.clockAhead) ? this.socket.clockAhead : 0;
    const ms = Math.max(0, Date.now() - ahead - wall);
    this.dispatchEvent(new CustomEvent("age", { detail: { ...ageOf(ms), wall, ms } }));
  }
}
