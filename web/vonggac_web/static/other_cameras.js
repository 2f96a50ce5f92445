// Other cameras of a search: each searched in the whole picture, in a region of its own, or in the one
// that was drawn here; then it is said that it was drawn on another picture.

import { api } from "./api.js";
import { element } from "./camera_line.js";
import { number, t } from "./page.js";
import { parsePoints } from "./region_shape.js";

export class OtherCameras {
  #box = element("motion-cameras", HTMLElement);
  #corners = element("motion-corners", HTMLInputElement);

  /** @param {string} camera of this page @param {Map<string, string>} codes of all, filled here */
  constructor(camera, codes) {
    this.camera = camera;
    this.codes = codes;
    const details = element("motion-others", HTMLElement);
    details.addEventListener("toggle", () => void this.#list());
  }

  /** As a search takes them; null where corners are wrong: whoever typed them is led there. */
  asked() {
    const asked = [];
    for (const { value, corners } of this.#chosen()) {
      const points = parsePoints(corners.value);
      corners.setAttribute("aria-invalid", String(points === null));
      if (points === null) {
        element("motion-others", HTMLDetailsElement).open = true;
        corners.focus();
        return null;
      }
      asked.push({ camera: value, regions: points.length > 0 ? [points] : [] });
    }
    return asked;
  }

  /** What is said beside a result: whose region was drawn here, and who has none. */
  words() {
    const rows = this.#chosen().map(({ corners }) => corners.value.trim());
    const same = rows.filter((text) => text !== "" && text === this.#corners.value.trim()).length;
    const whole = rows.filter((text) => text === "").length;
    const words = [];
    if (same > 0) words.push(t("motion.others-same", { count: number(same) }));
    if (whole > 0 && this.#corners.value.trim())
      words.push(t("motion.others-whole-said", { count: number(whole) }));
    return words;
  }

  #chosen() {
    const inputs = /** @type {NodeListOf<HTMLInputElement>} */ (
      this.#box.querySelectorAll("input[type=checkbox]:checked")
    );
    return [...inputs].map(({ value, id }) => {
      return { value, corners: element(`${id}-corners`, HTMLInputElement) };
    });
  }

  /** Those that this person knows of, once. */
  async #list() {
    const box = this.#box;
    if (box.childElementCount > 0) return;
    const told = await api("GET", "/api/v1/cameras").catch(() => ({ cameras: [] }));
    for (const { id, code } of told.cameras) {
      this.codes.set(id, code);
      if (id !== this.camera) box.append(this.#row(id, code));
    }
    if (box.childElementCount === 0) box.textContent = t("motion.no-others");
  }

  /** @param {string} camera @param {string} code */
  #row(camera, code) {
    const row = document.createElement("div");
    const input = document.createElement("input");
    Object.assign(input, { type: "checkbox", value: camera, id: `other-${camera}` });
    const label = document.createElement("label");
    label.className = "choice";
    label.append(input, document.createTextNode(` ${code}`));
    const own = document.createElement("span");
    own.className = "own";
    const corners = document.createElement("input");
    Object.assign(corners, { id: `${input.id}-corners`, autocomplete: "off" });
    corners.placeholder = t("motion.others-whole");
    corners.setAttribute("aria-label", t("motion.others-corners", { camera: code }));
    const here = document.createElement("button");
    here.type = "button";
    here.textContent = t("motion.others-here");
    here.setAttribute("aria-label", `${code}: ${t("motion.others-here")}`);
    here.addEventListener("click", () => (corners.value = this.#corners.value));
    own.append(corners, here);
    own.hidden = true;
    input.addEventListener("change", () => (own.hidden = !input.checked));
    row.append(label, own);
    return row;
  }
}
