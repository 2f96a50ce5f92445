// Camera trouble, looked at: the picture as it was usual and the one that raised the alarm, beside each
// other. Each is a look of its own, with the purpose that is given, open while its picture is shown.

import { apiBytes, ApiError } from "./api.js";
import { canShow } from "./camera_controls.js";
import { LookKeeper } from "./look_keeper.js";
import { t } from "./page.js";
import { PageSocket } from "./socket.js";

/** @typedef {import("./look_keeper.js").Look} Look */
/** @typedef {import("./purpose.js").Purpose} Purpose */
/** @typedef {(what: string) => Promise<Purpose | null>} Given asks why somebody looks */

/** On both sides of a moment. */
const AROUND_MS = 1000;

/** What a person reads of a picture that cannot be shown. @param {unknown} error */
export function wordsOf(error) {
  if (!(error instanceof ApiError)) return t("error.failed");
  if (error.code === "missing" || error.code === "gone") return t("trouble.gone");
  return error.code === "refused" ? t("trouble.refused") : error.words;
}

/**
 * The key frame before a moment, of the small stream where that was recorded. Throws ApiError, and
 * TypeError where this browser shows none of the camera's.
 * @param {Look} look @param {number} at ms
 */
async function still(look, at) {
  const shown = look.streams.filter(({ codec }) => canShow(codec));
  shown.sort((a, b) => Number(b.name === "sub") - Number(a.name === "sub"));
  let error = new TypeError("this browser shows none of its codecs");
  for (const { name } of shown) {
    try {
      return await apiBytes(`/api/v1/looks/${look.id}/${name}/still.mp4?at=${at}`);
    } catch (wrong) {
      if (!(wrong instanceof ApiError) || wrong.code !== "missing") throw wrong;
      error = wrong; // the other stream may have been recorded then
    }
  }
  throw error;
}

class TroublePictures {
  /** @type {Map<LookKeeper, string[]>} */
  #held = new Map();
  /** @type {string[]} */
  #addresses = [];
  /** @type {PageSocket | null} */
  #socket = null;

  /** @param {HTMLElement} root @param {Given} given */
  constructor(root, given) {
    this.camera = root.dataset.camera ?? "";
    this.what = root.dataset.what ?? "";
    this.given = given;
    this.places = /** @type {HTMLElement[]} */ ([...root.querySelectorAll(".place")]);
    this.button = /** @type {HTMLButtonElement} */ (root.querySelector("[data-show]"));
    this.button.addEventListener("click", () => {
      if (this.#socket) this.#hide();
      else void this.#show();
    });
    this.#tellButton();
    this.button.hidden = false;
  }

  #tellButton() {
    const { button } = this;
    button.textContent = this.#socket ? t("trouble.hide") : (button.dataset.show ?? "");
  }

  async #show() {
    const purpose = await this.given(this.what);
    if (!purpose || this.#socket) return;
    this.#socket = new PageSocket();
    this.#tellButton();
    await Promise.all(this.places.map((place) => this.#open(place, purpose)));
  }

  /** @param {HTMLElement} place @param {Purpose} purpose */
  async #open(place, purpose) {
    const at = Number(place.dataset.at);
    const keeper = new LookKeeper(this.camera, (looks) => {
      this.#held.set(keeper, looks);
      this.#socket?.hold([...this.#held.values()].flat());
    });
    this.#held.set(keeper, []);
    keeper.addEventListener("over", () => (place.textContent = t("trouble.over")));
    place.hidden = false;
    place.textContent = t("trouble.opening");
    try {
      const range = { from: at - AROUND_MS, to: at + AROUND_MS };
      const look = await keeper.open("stored", range, purpose);
      if (!this.#held.has(keeper)) return; // hidden meanwhile; the place may be another one's now
      const bytes = await still(look, at);
      // It may have been closed, or ended, meanwhile.
      if (keeper.look?.id === look.id) place.replaceChildren(this.#picture(bytes, place));
    } catch (error) {
      keeper.end();
      if (!this.#held.has(keeper)) return;
      place.textContent = error instanceof TypeError ? t("trouble.cannot") : wordsOf(error);
    }
  }

  /** @param {ArrayBuffer} bytes @param {HTMLElement} place */
  #picture(bytes, place) {
    const video = document.createElement("video");
    Object.assign(video, { muted: true, playsInline: true, preload: "auto", tabIndex: -1 });
    video.disablePictureInPicture = true;
    video.setAttribute("aria-label", place.previousElementSibling?.textContent?.trim() ?? "");
    video.addEventListener("error", () => {
      if (video.isConnected) place.textContent = t("trouble.cannot");
    });
    video.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
    this.#addresses.push(video.src);
    return video;
  }

  #hide() {
    for (const keeper of this.#held.keys()) keeper.end();
    for (const place of this.places) {
      place.replaceChildren();
      place.hidden = true;
    }
    for (const address of this.#addresses) URL.revokeObjectURL(address);
    this.#held.clear();
    this.#addresses = [];
    this.#socket?.close();
    this.#socket = null;
    this.#tellButton();
  }
}

/** All of a page. @param {Given} given */
export function showTroubles(given) {
  for (const root of document.querySelectorAll(".trouble"))
    if (root instanceof HTMLElement) new TroublePictures(root, given);
}
