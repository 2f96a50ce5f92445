// The buttons and keys of the camera's page, the stream that is chosen, and the trace over the picture.

import { element } from "./camera_line.js";
import { dateAndTime, number, t } from "./page.js";
import { RATES } from "./player.js";
import { clockText, dayText } from "./wall_time.js";

/** @typedef {import("./look_keeper.js").LookStream} LookStream */

const JUMP_MS = 10_000;
/** Narrower than this, the small stream is enough. */
const NARROW_PX = 700;

/**
 * Whether this browser shows a codec; one that is not known is tried.
 * @param {string | null} codec as RFC 6381 writes it
 */
export function canShow(codec) {
  if (codec === null) return true;
  const Source = /** @type {any} */ (globalThis).ManagedMediaSource ?? globalThis.MediaSource;
  return Boolean(Source?.isTypeSupported(`video/mp4; codecs="${codec}"`));
}

/** MJPEG in MP4: no browser shows it. @param {string | null | undefined} codec */
export function isJpeg(codec) {
  return codec?.startsWith("mp4v") ?? false;
}

export class CameraControls {
  #play = element("play", HTMLButtonElement);
  #rate = element("rate", HTMLSelectElement);
  #stream = element("stream", HTMLSelectElement);
  #moment = element("moment", HTMLOutputElement);
  #note = element("codec-note", HTMLElement);
  #trace = element("trace-time", HTMLTimeElement);

  /** @param {import("./camera.js").CameraPage} page */
  constructor(page) {
    this.page = page;
    for (const rate of RATES) {
      this.#rate.append(
        new Option(`${number(rate, rate < 1 ? 2 : 0)}×`, String(rate), rate === 1, rate === 1),
      );
    }
    const has = (/** @type {string} */ name) =>
      [...this.#stream.options].some((o) => o.value === name);
    if (innerWidth < NARROW_PX && has("sub")) this.#stream.value = "sub";
    this.#listen();
    this.#passTime();
    setInterval(() => this.#passTime(), 1000);
  }

  /** The stream that the person wants. */
  get wanted() {
    return this.#stream.value;
  }

  /**
   * The stream to show: the wanted one, or another that this browser can decode, which is said.
   * @param {LookStream[]} streams
   * @returns {string | null} null: it can decode none
   */
  choose(streams) {
    const wanted = streams.find((stream) => stream.name === this.wanted) ?? streams[0];
    const shown = [wanted, ...streams].find((stream) => canShow(stream.codec));
    this.#note.hidden = !shown || shown === wanted;
    const isNever = isJpeg(wanted?.codec);
    this.#note.textContent = t(isNever ? "camera.codec-other-jpeg" : "camera.codec-other");
    if (!shown) return null;
    this.#stream.value = shown.name;
    return shown.name;
  }

  /**
   * The stream to show in place of one that looked playable and is not; null when there is none.
   * @param {LookStream[]} streams @param {string} failed its name
   */
  chooseOther(streams, failed) {
    return this.choose(streams.filter((stream) => stream.name !== failed && stream.codec !== null));
  }

  /** After the mode, the state or the pace has changed. */
  update() {
    const { mode, player } = this.page;
    const isStored =
      mode === "stored" && !["failed", "ended", "asking", "idle"].includes(player.state);
    for (const id of ["play", "back", "frame-back", "frame-on", "on", "rate"])
      /** @type {HTMLButtonElement} */ (element(id, HTMLElement)).disabled = !isStored;
    this.#play.textContent = t(isStored && !player.isPaused ? "camera.pause" : "camera.play");
    this.#rate.value = String(player.rate);
  }

  /** The moment that is shown or looked for. @param {number} wall ms */
  tell(wall) {
    this.#moment.textContent = `${dayText(wall)} ${clockText(wall, this.page.player.isPaused)}`;
  }

  #listen() {
    const { page } = this;
    const { player } = page;
    const clicks = {
      play: () => this.#toggle(),
      back: () => this.#jump(-JUMP_MS),
      on: () => this.#jump(JUMP_MS),
      "frame-back": () => player.step(-1),
      "frame-on": () => player.step(1),
      full: () => this.#full(),
    };
    for (const [id, does] of Object.entries(clicks))
      element(id, HTMLElement).addEventListener("click", does);
    this.#rate.addEventListener("change", () => player.setRate(Number(this.#rate.value)));
    this.#stream.addEventListener("change", () => page.changeStream());
    player.addEventListener("pace", () => this.update());
    player.addEventListener("moment", (event) =>
      this.tell(/** @type {CustomEvent} */ (event).detail),
    );
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  #toggle() {
    const { player } = this.page;
    if (player.isPaused) player.play();
    else player.pause();
  }

  /** @param {number} byMs */
  #jump(byMs) {
    const { line } = this.page.line;
    if (Number.isFinite(line.at)) void this.page.seek(Math.min(line.at + byMs, Date.now()));
  }

  #full() {
    const { player } = this.page;
    if (document.fullscreenElement) void document.exitFullscreen();
    else player.requestFullscreen?.().catch(() => {});
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    // Where keys have a meaning of their own, they keep it.
    if (target.closest("input, select, textarea, dialog")) return;
    if (event.key === " " && target.closest("button, a, summary")) return;
    const isStored = this.page.mode === "stored";
    /** @type {Record<string, () => void>} */
    const keys = {
      " ": () => isStored && this.#toggle(),
      g: () => this.page.line.focusTime(),
      ",": () => isStored && this.page.player.step(-1),
      ".": () => isStored && this.page.player.step(1),
    };
    const found = keys[event.key.toLowerCase()];
    if (found) {
      event.preventDefault();
      found();
      // The others move the page where the line is not focused.
    } else if (/^(Arrow(Left|Right)|[-+=_])$/.test(event.key)) this.page.line.line.takeKey(event);
  }

  #passTime() {
    this.#trace.textContent = dateAndTime(Date.now());
  }
}
