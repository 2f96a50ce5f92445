// Masks that a camera has: what every search of its motion leaves out. Listed with who made them, set
// and taken away by those who may; for one search anybody looks behind them.

import { api, ApiError } from "./api.js";
import { element } from "./camera_line.js";
import { dateAndTime, number, t } from "./page.js";

/** @typedef {import("./region_shape.js").Point} Point */
/** @typedef {{number: number, name: string, corners: Point[], made_by: string, made_ms: number}} Mask */

/** Events: `change` (a search would be another). */
export class KeptMasks extends EventTarget {
  /** @type {Mask[]} */
  masks = [];
  #behind = element("masks-behind", HTMLInputElement);
  #list = element("masks-list", HTMLElement);
  #name = element("mask-name", HTMLInputElement);
  #wrong = element("mask-wrong", HTMLElement);
  #maySet = false;

  /** @param {string} camera @param {import("./region.js").VgRegion} region whose drawing becomes a mask */
  constructor(camera, region) {
    super();
    this.address = `/api/v1/cameras/${camera}/masks`;
    this.region = region;
    this.#behind.addEventListener("change", () => this.#changed());
    element("mask-keep", HTMLElement).addEventListener("click", () => void this.#keep());
    this.#name.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // the form's own way is a search
      void this.#keep();
    });
    const details = element("motion-masks", HTMLDetailsElement);
    details.addEventListener("toggle", () => this.region.tellKept({ isListed: details.open }));
    void this.#load();
  }

  /** Whether searches leave them out. */
  get areUsed() {
    return !this.#behind.checked;
  }

  /** What is said beside a result. @param {number} count of masks that were left out, of all cameras */
  words(count) {
    if (count > 0) return t("masks.left-out", { count: number(count) });
    if (this.areUsed || this.masks.length === 0) return "";
    return t("masks.behind-said", { count: number(this.masks.length) });
  }

  async #load() {
    try {
      const told = await api("GET", this.address);
      this.masks = told.masks;
      this.#maySet = told.may_set;
      this.#show();
    } catch (error) {
      this.#tellWrong(error);
    }
  }

  async #keep() {
    const { region } = this;
    const corners = region.points;
    if (corners.length === 0) return this.#tell(t("motion.mask-none"));
    if (!this.#name.value.trim()) {
      this.#name.focus();
      return this.#tell(t("masks.name-wrong"));
    }
    await this.#set("POST", this.address, { name: this.#name.value, corners });
    if (!this.#wrong.textContent) {
      this.#name.value = "";
      region.show([]);
      region.dispatchEvent(new CustomEvent("change"));
    }
  }

  /** @param {Mask} mask */
  #remove(mask) {
    return this.#set("DELETE", `${this.address}/${mask.number}`);
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #set(method, path, body) {
    this.#tell("");
    try {
      await api(method, path, body);
    } catch (error) {
      return this.#tellWrong(error);
    }
    await this.#load();
    this.#changed();
  }

  #changed() {
    this.region.tellKept({ areUsed: this.areUsed });
    this.dispatchEvent(new Event("change"));
  }

  #show() {
    const { masks } = this;
    element("masks-count", HTMLElement).textContent = `(${number(masks.length)})`;
    element("masks-none", HTMLElement).hidden = masks.length > 0;
    element("masks-set", HTMLElement).hidden = !this.#maySet;
    this.#list.replaceChildren(...masks.map((mask) => this.#row(mask)));
    this.region.tellKept({ shapes: masks.map(({ corners }) => corners) });
  }

  /** @param {Mask} mask */
  #row(mask) {
    const row = document.createElement("li");
    const name = document.createElement("strong");
    name.textContent = mask.name;
    const made = document.createElement("span");
    made.className = "small quiet";
    made.textContent = t("masks.made", { who: mask.made_by, time: dateAndTime(mask.made_ms) });
    row.append(name, " ", made);
    if (this.#maySet) {
      const gone = document.createElement("button");
      gone.type = "button";
      gone.textContent = t("masks.remove");
      gone.setAttribute("aria-label", t("masks.remove-one", { name: mask.name }));
      gone.addEventListener("click", () => void this.#remove(mask));
      row.append(" ", gone);
    }
    return row;
  }

  /** @param {unknown} error */
  #tellWrong(error) {
    if (!(error instanceof ApiError)) return this.#tell(t("error.failed"));
    const known = { name: "masks.name-wrong", region: "masks.region-wrong" };
    const key = known[/** @type {keyof typeof known} */ (error.field)];
    const isFull = error.code === "refused" && this.#maySet;
    this.#tell(key ? t(key) : isFull ? t("masks.full") : error.words);
  }

  /** @param {string} words empty: nothing is wrong */
  #tell(words) {
    this.#wrong.textContent = words;
  }
}
