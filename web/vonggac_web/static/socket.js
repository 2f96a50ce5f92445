// The page's one WebSocket: live pictures of all its tiles, the looks it keeps open, news of cameras.
// It connects again by itself, and says again what the page wants; then every view begins anew.

import { api } from "./api.js";
import { parseMessage, parseText } from "./live_wire.js";

/** @typedef {import("./live_wire.js").Message} Message */

/**
 * Who shows a tile.
 * @typedef {object} Receiver
 * @property {(state: {state: string, code?: string, codec?: string, mime?: string}) => void} told
 * @property {(message: Message) => void} receive
 * @property {() => void} restart the socket was lost: what comes next is another view
 */

const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 10_000;
const TILE_MAX = 255;
const SESSION_OVER = 4401;
const NO_MESSAGE = 4422;

/** How long to wait before the n-th try, from 1. @param {number} tries @param {number} random 0 … 1 */
export function waitMs(tries, random) {
  return Math.min(WAIT_MAX_MS, WAIT_MIN_MS * 2 ** (tries - 1)) * (0.75 + random / 2);
}

/**
 * Events: `camera` (detail: {camera, id, stream, state, gap_reason}), `look` (detail: {look, state,
 * code}), `connection` (detail: {isOpen}).
 */
export class PageSocket extends EventTarget {
  isOpen = false;
  /** ms that this browser's clock is ahead of the box's, at most by the way of a message. */
  clockAhead = Infinity;
  /** @type {string[]} */
  #looks = [];
  /** @type {Map<number, {look: string, stream: string, receiver: Receiver}>} */
  #tiles = new Map();
  /** @type {WebSocket | null} */
  #socket = null;
  #tries = 0;
  #timer = 0;
  #isClosed = false;

  constructor(address = `${location.origin.replace(/^http/, "ws")}/api/v1/socket`) {
    super();
    this.address = address;
    addEventListener("online", () => this.#soon());
    addEventListener("pageshow", () => this.#soon());
    document.addEventListener("visibilitychange", () => document.hidden || this.#soon());
    this.#connect();
  }

  /** All looks that this page keeps open. @param {string[]} looks */
  hold(looks) {
    this.#looks = [...looks];
    this.#say({ hold: this.#looks });
  }

  /**
   * Shows a look's stream live; gives the tile's number, for `again` and `unwatch`.
   * @param {string} look @param {string} stream @param {Receiver} receiver
   */
  watch(look, stream, receiver) {
    let tile = 1;
    while (this.#tiles.has(tile)) tile++;
    if (tile > TILE_MAX) throw new Error("too many tiles");
    this.#tiles.set(tile, { look, stream, receiver });
    this.again(tile);
    return tile;
  }

  /** Begins a tile's view anew, from its newest key frame on. @param {number} tile */
  again(tile) {
    const wanted = this.#tiles.get(tile);
    if (wanted) this.#say({ watch: wanted.look, tile, stream: wanted.stream });
  }

  /** @param {number} tile */
  unwatch(tile) {
    if (this.#tiles.delete(tile)) this.#say({ unwatch: tile });
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  /** @param {object} message */
  #say(message) {
    // What is not said now is said when it is open: all of it is kept here.
    if (this.isOpen) this.#socket?.send(JSON.stringify(message));
  }

  #connect() {
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.address);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", (event) => this.#received(event.data));
    socket.addEventListener("close", (event) => this.#lost(event.code));
  }

  /** There is reason to think that it goes now. */
  #soon() {
    if (this.#isClosed || this.#socket?.readyState !== WebSocket.CLOSED) return;
    this.#connect();
  }

  #opened() {
    this.#tries = 0;
    this.isOpen = true;
    this.clockAhead = Infinity;
    this.#say({ hold: this.#looks });
    for (const tile of this.#tiles.keys()) this.again(tile);
    this.#emit("connection", { isOpen: true });
  }

  /** @param {number} code */
  #lost(code) {
    const wasOpen = this.isOpen;
    this.isOpen = false;
    if (this.#isClosed) return;
    for (const { receiver } of this.#tiles.values()) receiver.restart();
    if (wasOpen) this.#emit("connection", { isOpen: false });
    if (code === NO_MESSAGE) return console.error("the box did not understand this page");
    // Whoever is signed out is led to the sign-in by the answer.
    if (code === SESSION_OVER || !wasOpen)
      api("GET", "/api/v1/looks", undefined, { isPoll: true }).catch(() => {});
    this.#tries++;
    this.#timer = setTimeout(() => this.#soon(), waitMs(this.#tries, Math.random()));
  }

  /** @param {string | ArrayBuffer} data */
  #received(data) {
    if (typeof data !== "string") {
      const message = parseMessage(data);
      if (message) this.#tiles.get(message.tile)?.receiver.receive(message);
      return;
    }
    const told = parseText(data);
    if (told === null) return;
    if (typeof told.at_ms === "number")
      this.clockAhead = Math.min(this.clockAhead, Date.now() - told.at_ms);
    if ("event" in told) this.#emit(told.event, told);
    else if ("look" in told) this.#emit("look", told);
    else this.#tiles.get(told.tile)?.receiver.told(/** @type {{state: string}} */ (told));
  }

  /** @param {string} name @param {unknown} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
