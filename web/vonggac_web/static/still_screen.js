// One key frame after the other in a video element: each is appended by itself, at a place of its
// own, and the stream ended behind it, so that a decoder waits for nothing before it shows it.

import { onePicture } from "./key_list.js";

/** iPhones have the managed kind alone. @type {typeof MediaSource | undefined} */
const Source = /** @type {any} */ (globalThis).ManagedMediaSource ?? globalThis.MediaSource;

/** Pictures lie this far apart, s, and last half of it. */
const STEP_S = 2;
/** Places are used again after so many: what lay there is overwritten. */
const PLACES = 32;
/** A picture that does not come is not waited for. */
const GIVE_UP_MS = 2000;
/** Where a browser does not tell of pictures: so long after it has decoded one it is seen. */
const SEEN_MS = 50;

export class StillScreen {
  #source;
  #address;
  /** @type {SourceBuffer | null} */
  #buffer = null;
  #head = "";
  #place = 0;
  /** @type {Promise<unknown>} */
  #isOpen;

  /**
   * @param {HTMLVideoElement} video shows nothing else
   * @param {string} codec such as `avc1.64001f`
   */
  constructor(video, codec) {
    if (!Source) throw new TypeError("this browser has no MediaSource");
    this.video = video;
    this.#source = new Source();
    this.#address = URL.createObjectURL(this.#source);
    this.#isOpen = once(this.#source, "sourceopen").then(() => {
      this.#buffer = this.#source.addSourceBuffer(`video/mp4; codecs="${codec}"`);
    });
    this.#isOpen.catch(() => {}); // told by the first picture
    video.src = this.#address;
  }

  /**
   * Shows a key frame. One at a time.
   * @param {string} name of the head; the same one is appended once
   * @param {Uint8Array<ArrayBuffer>} head
   * @param {Uint8Array<ArrayBuffer>} bytes of the key frame, from `moof` on
   */
  async show(name, head, bytes) {
    await this.#isOpen;
    const buffer = this.#buffer;
    if (!buffer) return;
    this.#place = (this.#place + 1) % PLACES;
    const at = this.#place * STEP_S;
    const picture = onePicture(bytes, at, STEP_S / 2);
    if (!picture) throw new TypeError("the box sent no key frame");
    await append(buffer, name === this.#head ? picture : joined(head, picture));
    this.#head = name;
    if (this.#source.readyState !== "open") return; // it was closed meanwhile
    this.#source.endOfStream();
    const seen = presented(this.video, at);
    this.video.currentTime = at;
    await seen;
  }

  close() {
    this.#buffer = null;
    this.video.removeAttribute("src");
    this.video.load();
    URL.revokeObjectURL(this.#address);
  }
}

/** @param {EventTarget} target @param {string} name */
function once(target, name) {
  return new Promise((resolve) => target.addEventListener(name, resolve, { once: true }));
}

/** @param {SourceBuffer} buffer @param {Uint8Array<ArrayBuffer>} data */
function append(buffer, data) {
  return new Promise((resolve, reject) => {
    const done = new AbortController();
    const { signal } = done;
    const end = (/** @type {() => void} */ settle) => () => {
      done.abort();
      settle();
    };
    buffer.addEventListener(
      "updateend",
      end(() => resolve(null)),
      { signal },
    );
    buffer.addEventListener(
      "error",
      end(() => reject(new TypeError("no picture"))),
      { signal },
    );
    buffer.appendBuffer(data);
  });
}

/** @param {Uint8Array<ArrayBuffer>} first @param {Uint8Array<ArrayBuffer>} second */
function joined(first, second) {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

/**
 * Until the element has presented the picture at a place.
 * @param {HTMLVideoElement} video
 * @param {number} at s
 */
function presented(video, at) {
  return new Promise((resolve) => {
    let handle = 0;
    let timer = setTimeout(done, GIVE_UP_MS);
    const saw = (/** @type {number} */ _, /** @type {VideoFrameCallbackMetadata} */ frame) => {
      if (Math.abs(frame.mediaTime - at) < STEP_S / 2) return done();
      handle = video.requestVideoFrameCallback(saw);
    };
    const decoded = () => {
      clearTimeout(timer);
      timer = setTimeout(done, SEEN_MS);
    };
    if ("requestVideoFrameCallback" in video) handle = video.requestVideoFrameCallback(saw);
    video.addEventListener("seeked", decoded, { once: true });
    function done() {
      clearTimeout(timer);
      video.removeEventListener("seeked", decoded);
      if (handle) video.cancelVideoFrameCallback(handle);
      resolve(null);
    }
  });
}
