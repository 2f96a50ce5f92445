// Live pictures in the player of the camera's page, with their age, and what stands in their way.

import { LiveView } from "./live.js";
import { t } from "./page.js";

/** @typedef {import("./player.js").VgPlayer} VgPlayer */
/** @typedef {import("./player.js").State} State */

/**
 * What a view's state is for the player; null: nothing changes.
 * @param {string} state @param {string} [code]
 * @returns {{state: State, code?: string} | null}
 */
export function playerState(state, code) {
  switch (state) {
    case "starting":
      return { state: "opening" };
    case "waiting":
      return { state: "waiting", code: `wait-${code ?? "camera"}` };
    case "offline":
      return { state: "waiting", code: "wait-offline" };
    case "ended":
      return { state: "ended", code: code ?? "look" };
    case "refused":
      return { state: "failed", code: "refused" };
    case "failed":
      return { state: "failed", code: "decode" };
    default:
      return null; // live: the picture says so; dropped: said beside its age, and it goes on
  }
}

/** So long it is said that pictures were left out because the line is slow. */
const DROPPED_MS = 5000;

/** Events: `unsupported` (detail: the codec, if told), `moment` (detail: wall ms). */
export class CameraLive extends EventTarget {
  /** @type {LiveView | null} */
  #view = null;
  #droppedAt = -Infinity;

  /**
   * @param {VgPlayer} player @param {import("./socket.js").PageSocket} socket
   * @param {HTMLElement} age where the age of the picture is said
   */
  constructor(player, socket, age) {
    super();
    this.player = player;
    this.socket = socket;
    this.age = age;
  }

  /** @param {string} look @param {string} stream */
  show(look, stream) {
    const { player } = this;
    const video = player.showLive(this);
    const view = new LiveView(video, this.socket);
    this.#view = view;
    view.addEventListener("state", (event) =>
      this.#told(/** @type {CustomEvent} */ (event).detail),
    );
    view.addEventListener("age", (event) =>
      this.#tellAge(/** @type {CustomEvent} */ (event).detail),
    );
    video.addEventListener("playing", () => view === this.#view && player.becomeLive(video));
    view.show(look, stream);
  }

  close() {
    const view = this.#view;
    this.#view = null;
    this.age.hidden = true;
    view?.close();
  }

  /** @param {{state: string, code?: string}} told */
  #told({ state, code }) {
    if (!this.#view) return;
    if (state === "dropped") this.#droppedAt = performance.now();
    if (state === "unsupported") {
      this.dispatchEvent(new CustomEvent("unsupported", { detail: code }));
      return;
    }
    // What was there goes on: no new picture begins to play.
    if (state === "live" && this.player.state === "waiting") this.player.become("playing");
    const found = playerState(state, code);
    if (!found) return;
    if (found.state === "ended" || found.state === "failed") {
      this.player.clear(found.state, found.code);
    } else this.player.become(found.state, found.code);
  }

  /** @param {{level: string, seconds: number, wall: number}} told */
  #tellAge({ level, seconds, wall }) {
    if (!this.#view) return;
    this.age.hidden = false;
    this.age.classList.toggle("old", level === "old");
    const isDropped = performance.now() - this.#droppedAt < DROPPED_MS;
    const word = isDropped ? "dropped" : level === "fresh" ? "age-fresh" : "age";
    this.age.textContent = t(`camera.${word}`, { seconds });
    this.dispatchEvent(new CustomEvent("moment", { detail: wall }));
  }
}
