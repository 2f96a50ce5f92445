// <vg-player>: one picture, and its state by name. It plays windows of recordings one after the
// other, key frames on top of them while somebody searches, and live; who may see what, and in which
// words it is said, is the page's.

import { windowAround } from "./clock_map.js";
import { FrameStep } from "./frame_step.js";
import { FastForward, KeyFrames } from "./scrub.js";
import { Stage } from "./stage.js";
import { codeOf, StoredWindow } from "./stored.js";
import { HOUR_MS } from "./wall_time.js";

/** idle: nothing chosen; asking: for a purpose; waiting: for more data; gap: nothing is recorded. */
export const STATES = /** @type {const} */ ([
  "idle",
  "asking",
  "opening",
  "playing",
  "gap",
  "waiting",
  "ended",
  "failed",
]);
/** @typedef {typeof STATES[number]} State */

export const RATES = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];
/** Faster than this, key frames alone are shown. */
const RATE_OF_VIDEO_MAX = 8;
const WINDOW_MS = HOUR_MS;
/** So long before its end, at the pace of playing, the next window is opened. */
const APPROACH_MS = 45_000;
/** Whoever asks for a moment just before the first picture means that picture. */
const SNAP_MS = 1000;
/** Nothing is recorded in the window. */
const NOWHERE = { from: -Infinity, to: Infinity };
/** A shorter wait is none. */
const PATIENCE_MS = 400;

/** @param {{gap: {to: number} | null}} place @param {number} wall */
function isGap({ gap }, wall) {
  return gap !== null && gap.to - wall >= SNAP_MS;
}

/**
 * Events: `state` (detail: {state, code?}), `moment` (detail: wall ms of the picture),
 * `gap` (detail: {from, to} wall ms, where infinite is not known), `edge` (detail: wall ms; nothing
 * more is in this look), `pace` (paused or rate changed).
 */
export class VgPlayer extends HTMLElement {
  /** @type {State} */
  state = "idle";
  rate = 1;
  isPaused = false;
  #stage = new Stage();
  /** @type {StoredWindow | null} */
  #window = null;
  /** @type {{window: StoredWindow, isOpen: Promise<unknown>} | null} */
  #next = null;
  /** @type {KeyFrames | null} */
  #keys = null;
  /** @type {FastForward | null} */
  #fast = null;
  /** @type {{close(): void} | null} */
  #live = null;
  /** @type {{base: string, look: {from: number, to: number}} | null} */
  #source = null;
  #turn = 0;
  #patience = 0;
  #keysWall = NaN;
  #steps = new FrameStep();
  /** @type {StoredWindow[]} shown until the next one has a picture */
  #leaving = [];

  connectedCallback() {
    if (!this.#stage.element.isConnected) this.prepend(this.#stage.element);
    this.dataset.state = this.state;
  }

  /** @param {State} state @param {string} [code] why it failed or ended */
  become(state, code) {
    if (state === this.state && !code) return;
    this.state = state;
    this.dataset.state = state;
    this.#emit("state", { state, code });
  }

  /** Wall ms of the picture that is shown; NaN when there is none. */
  get moment() {
    return this.#window && !this.#live ? this.#window.wall : NaN;
  }

  /** Whether `seek` has anything to seek in. */
  get hasSource() {
    return this.#source !== null;
  }

  /** A video element for live pictures, in place of whatever was shown. @param {{close(): void}} live */
  showLive(live) {
    this.clear("opening");
    const video = this.#stage.add("live");
    this.#live = live;
    return video;
  }

  /** A live picture is there. @param {HTMLVideoElement} video */
  becomeLive(video) {
    video.classList.add("shown");
    this.become("playing");
  }

  /** Takes the picture away. @param {State} state @param {string} [code] */
  clear(state, code) {
    this.#turn++;
    this.#stopFast();
    this.#live?.close();
    this.#live = null;
    this.#keys?.close();
    this.#keys = null;
    for (const window of [this.#next?.window, this.#window, ...this.#leaving]) window?.close();
    this.#next = this.#window = null;
    this.#leaving = [];
    this.#source = null;
    this.#stage.clear();
    this.become(state, code);
  }

  /**
   * Shows recordings of a look from a moment on.
   * @param {string} base address of the look's stream
   * @param {{from: number, to: number}} look ms
   * @param {number} wall ms
   */
  async showStored(base, look, wall) {
    this.clear("opening");
    this.#source = { base, look };
    this.#keys = new KeyFrames(this.#stage.keys, base, look);
    await this.seek(wall);
  }

  /** Goes to a moment of the look. @param {number} wall ms */
  async seek(wall) {
    const source = this.#source;
    if (!source) return;
    const turn = ++this.#turn;
    this.#stopFast();
    this.#steps.forget();
    let window = this.#window;
    let place = window?.holds(wall) ? window.map.mediaAt(wall) : null;
    if (window && place) window.video.currentTime = place.media;
    else {
      this.become("opening");
      window = this.#newWindow(source, wall);
      try {
        place = await window.open(wall);
      } catch (error) {
        window.close();
        if (turn === this.#turn) this.#fail(codeOf(error), error);
        return;
      }
      if (turn !== this.#turn) return window.close();
      this.#enter(window);
    }
    if (!place || isGap(place, wall)) return this.#inGap(place?.gap ?? NOWHERE, window);
    if (this.state === "gap") this.become("opening");
    this.#go(wall);
  }

  play() {
    this.isPaused = false;
    this.#emit("pace", null);
    this.#go(this.#at);
  }

  pause() {
    this.isPaused = true;
    this.#stopFast();
    this.#window?.video.pause();
    this.#emit("pace", null);
  }

  /** @param {number} rate one of RATES */
  setRate(rate) {
    const at = this.#at;
    this.rate = rate;
    this.#emit("pace", null);
    // From key frames back to all pictures: where the last key frame was.
    if (this.#stopFast() && rate <= RATE_OF_VIDEO_MAX) void this.seek(at);
    else this.#go(at);
  }

  /** Wall ms of what is seen. */
  get #at() {
    return this.#stage.isOnKeys ? this.#keysWall : this.moment;
  }

  /** A picture forth or back, when it stands still. @param {1 | -1} way */
  step(way) {
    const video = this.#window?.video;
    if (!video || this.#live) return;
    if (!this.isPaused) this.pause();
    video.currentTime = this.#steps.target(way, video.currentTime);
  }

  /**
   * Looks through: the key frame of a moment, on top of what plays.
   * @param {number} wall ms
   */
  async scrub(wall) {
    this.#stopFast();
    this.#window?.video.pause();
    const shown = await this.#keys?.show(wall).catch(() => null);
    if (shown && this.#keys) {
      this.#keysWall = shown.wall;
      this.#stage.isOnKeys = true;
    }
    return shown ?? null;
  }

  /** Plays, or stands still, at the pace that was chosen. @param {number} wall ms, where it is */
  #go(wall) {
    const window = this.#window;
    if (!window) return;
    const { video } = window;
    video.playbackRate = Math.min(this.rate, RATE_OF_VIDEO_MAX);
    if (this.isPaused || this.rate > RATE_OF_VIDEO_MAX) video.pause();
    if (this.isPaused) return;
    if (this.rate > RATE_OF_VIDEO_MAX) this.#goFast(wall);
    else {
      video.play().catch((error) => {
        // Refused when the page was never touched; the button is there. Else it was only replaced.
        if (error.name === "NotAllowedError") this.pause();
      });
    }
  }

  /** @param {number} wall ms */
  #goFast(wall) {
    this.#stopFast();
    if (!this.#keys || !Number.isFinite(wall)) return;
    const at = (/** @type {number} */ shown) => {
      this.#keysWall = shown;
      this.#stage.isOnKeys = true;
      this.become("playing");
      this.#emit("moment", shown);
    };
    this.#fast = new FastForward(this.#keys, this.rate, at, (end) => this.#emit("edge", end));
    this.#fast.run(wall).catch((error) => this.#fail(codeOf(error), error));
  }

  #stopFast() {
    const wasFast = this.#fast !== null;
    this.#fast?.stop();
    this.#fast = null;
    return wasFast;
  }

  /** @param {{from: number, to: number}} gap @param {StoredWindow} window */
  #inGap(gap, window) {
    const last = Math.min(this.#source?.look.to ?? 0, Date.now());
    if (gap.to === Infinity && window.window.to >= last && !window.map.isEmpty) {
      this.#emit("edge", gap.from);
      return;
    }
    window.video.pause();
    this.#stage.isOnKeys = false;
    this.become("gap");
    this.#emit("gap", gap);
  }

  /** @param {string} code @param {unknown} what */
  #fail(code, what) {
    console.warn(what);
    this.clear("failed", code);
  }

  /** @param {{base: string, look: {from: number, to: number}}} source @param {number} wall */
  #newWindow({ base, look }, wall) {
    const window = new StoredWindow(
      this.#stage.add("stored"),
      base,
      windowAround(look, wall, WINDOW_MS),
    );
    window.addEventListener("failed", (event) => {
      const { code, what } = /** @type {CustomEvent} */ (event).detail;
      if (window === this.#window) this.#fail(code, what);
    });
    return window;
  }

  /** Shows a window in place of the one before. @param {StoredWindow} window */
  #enter(window) {
    if (this.#window) this.#leaving.push(this.#window);
    this.#window = window;
    if (this.#next && this.#next.window !== window) this.#next.window.close();
    this.#next = null;
    this.#steps.forget();
    const { video } = window;
    const isShown = () => window === this.#window;
    const reveal = () => {
      if (!isShown()) return;
      video.classList.add("shown");
      this.#stage.isOnKeys = this.#fast !== null;
      for (const before of this.#leaving) before.close();
      this.#leaving = [];
      // So that the first picture somebody searches for comes as fast as the others.
      const soon = globalThis.requestIdleCallback ?? setTimeout;
      soon(() => isShown() && this.#keys?.prepare(window.wall).catch(() => {}));
    };
    video.addEventListener("loadeddata", reveal, { once: true });
    if (video.readyState >= 2) reveal();
    video.addEventListener("playing", () => isShown() && this.become("playing"));
    video.addEventListener("waiting", () => isShown() && this.#wait());
    video.addEventListener("ended", () => isShown() && this.#proceed());
    video.addEventListener("timeupdate", () => isShown() && this.#tick());
    video.addEventListener("seeked", () => {
      if (!isShown() || this.state === "gap") return;
      if (!this.#fast) this.#stage.isOnKeys = false;
      if (this.isPaused) this.become("playing");
      this.#tick();
    });
    this.#watchFrames(window);
  }

  /** @param {StoredWindow} window */
  #watchFrames(window) {
    const { video } = window;
    const one = (/** @type {number} */ _, /** @type {VideoFrameCallbackMetadata} */ frame) => {
      if (window !== this.#window) return;
      const isPlaying = !this.isPaused && !video.seeking && this.rate <= 1;
      this.#steps.saw(frame.mediaTime, video.currentTime, isPlaying);
      video.requestVideoFrameCallback(one);
    };
    video.requestVideoFrameCallback?.(one);
  }

  #tick() {
    const window = this.#window;
    if (!window || this.#fast || this.#stage.isOnKeys || this.state === "gap") return;
    this.#emit("moment", window.wall);
    const left = window.map.to - window.wall;
    if (!this.isPaused && left < APPROACH_MS * Math.max(1, this.rate)) this.#approach(window);
  }

  /** @param {StoredWindow} window */
  #approach(window) {
    const source = this.#source;
    const from = window.window.to;
    // A window that reaches past now grows; what is newest is shown live.
    if (!source || this.#next || from >= source.look.to || from > Date.now()) return;
    const next = this.#newWindow(source, from + 1);
    next.window = { from, to: Math.min(source.look.to, from + WINDOW_MS) };
    const isOpen = next.open(from);
    isOpen.catch(() => {}); // told when it is its turn
    this.#next = { window: next, isOpen };
  }

  #wait() {
    if (this.#window?.isAtEnd) return void this.#proceed();
    const window = this.#window;
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => {
      const video = window === this.#window ? window?.video : null;
      if (video && video.readyState < 3 && this.state === "playing") this.become("waiting");
    }, PATIENCE_MS);
  }

  /** On from the end of a window: into the next one, or to the edge of the look. */
  async #proceed() {
    const window = this.#window;
    if (!window || this.#fast) return;
    const end = window.map.to;
    this.#approach(window);
    const next = this.#next;
    if (!next) return this.#emit("edge", end);
    const turn = ++this.#turn;
    try {
      await next.isOpen;
    } catch (error) {
      if (turn === this.#turn) this.#fail(codeOf(error), error);
      return;
    }
    if (turn !== this.#turn) return;
    // Whole fragments are listed, so the next window may begin a little before this one's end.
    const place = next.window.map.mediaAt(end);
    this.#enter(next.window);
    if (place && place.gap?.to !== Infinity) {
      next.window.video.currentTime = place.media;
      this.#go(end);
    } else this.#inGap(NOWHERE, next.window);
  }

  /** @param {string} name @param {unknown} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

customElements.define("vg-player", VgPlayer);
