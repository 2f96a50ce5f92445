// The look this page has open: asked for with a purpose, kept while the page lives, ended with it.
// The server shows nothing outside of it, and ends it by itself soon after the page is gone.

import { api } from "./api.js";

/** @typedef {import("./purpose.js").Purpose} Purpose */
/** @typedef {{name: string, codec: string | null, width: number, height: number}} LookStream */

/**
 * @typedef {object} Look
 * @property {string} id
 * @property {"live" | "stored"} kind
 * @property {number} from ms
 * @property {number} to ms
 * @property {number} expires ms; it ends then unless somebody goes on
 * @property {LookStream[]} streams
 * @property {Purpose} purpose
 */

/** So long before its end a look asks whether somebody is still there. */
export const WARN_MS = 60_000;

/**
 * A look as the server tells it.
 * @param {any} told @param {Purpose} purpose @returns {Look}
 */
export function lookOf(told, purpose) {
  const ms = (/** @type {number | string} */ at) => (typeof at === "number" ? at : Date.parse(at));
  const streams = told.streams.map((/** @type {any} */ stream) => ({
    name: stream.name,
    codec: stream.codec ?? null,
    width: stream.width ?? 0,
    height: stream.height ?? 0,
  }));
  return {
    id: told.look,
    kind: told.kind,
    from: ms(told.from),
    to: ms(told.to),
    expires: ms(told.expires),
    streams,
    purpose,
  };
}

/** How long until the person is asked, and until the end. @param {number} expires @param {number} now */
export function timesOf(expires, now) {
  const end = Math.max(0, expires - now);
  return { warn: Math.max(0, end - WARN_MS), end };
}

/**
 * Events: `opened`, `ending` (somebody has to say that he goes on), `renewed`, `closed` (whoever
 * ended it: nothing of it may stay to be seen), `over` (the server did) with detail `code`.
 */
export class LookKeeper extends EventTarget {
  /** @type {Look | null} */
  look = null;
  #warn = 0;
  #over = 0;
  #turn = 0;

  /**
   * @param {string} camera 32 hexadecimal digits
   * @param {(looks: string[]) => void} hold tells the server what this page keeps open
   */
  constructor(camera, hold) {
    super();
    this.camera = camera;
    this.hold = hold;
    // The browser may throw the page away after this without another word.
    addEventListener("pagehide", () => this.end({ leaving: true }));
  }

  /**
   * Opens a look in place of the present one. Throws ApiError.
   * @param {"live" | "stored"} kind
   * @param {{from: number, to: number} | null} range ms
   * @param {Purpose} purpose
   */
  async open(kind, range, purpose) {
    this.end();
    const turn = this.#turn;
    const ask = { camera: this.camera, kind, ...range, purpose };
    const look = lookOf(await api("POST", "/api/v1/looks", ask), purpose);
    if (turn !== this.#turn)
      forget(look.id); // another one was asked for meanwhile, or none is wanted any more
    else {
      this.#keep(look);
      this.dispatchEvent(new Event("opened"));
    }
    return look;
  }

  /** Somebody is still there. Throws ApiError. */
  async renew() {
    const { look } = this;
    if (!look) return;
    const told = await api("POST", `/api/v1/looks/${look.id}/renew`);
    if (this.look?.id !== look.id) return;
    this.#keep(lookOf(told, look.purpose));
    this.dispatchEvent(new Event("renewed"));
  }

  /** Ends it, and what is being opened as soon as it is there. @param {{leaving?: boolean}} [how] the page is being left */
  end({ leaving = false } = {}) {
    this.#turn++;
    const { look } = this;
    if (!look) return;
    this.#forget();
    forget(look.id, leaving);
  }

  /** The server ended it. @param {string} id @param {string} code why */
  ended(id, code) {
    if (this.look?.id !== id) return;
    this.#forget();
    this.dispatchEvent(new CustomEvent("over", { detail: { code } }));
  }

  /** @param {Look} look */
  #keep(look) {
    this.look = look;
    this.hold([look.id]);
    clearTimeout(this.#warn);
    clearTimeout(this.#over);
    const { warn, end } = timesOf(look.expires, Date.now());
    this.#warn = setTimeout(() => this.dispatchEvent(new Event("ending")), warn);
    this.#over = setTimeout(() => this.ended(look.id, "renew"), end);
  }

  #forget() {
    this.look = null;
    clearTimeout(this.#warn);
    clearTimeout(this.#over);
    this.hold([]);
    this.dispatchEvent(new Event("closed"));
  }
}

/** Ends a look. @param {string} id @param {boolean} [leaving] the page is being left */
function forget(id, leaving = false) {
  // Not heard: it ends by itself when nobody holds it.
  api("DELETE", `/api/v1/looks/${id}`, undefined, { keepalive: leaving }).catch(() => {});
}
