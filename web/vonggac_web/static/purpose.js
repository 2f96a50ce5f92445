// Why somebody looks: asked before the first picture of a camera, from a closed list. The server asks
// too and refuses a look without one; here it is asked so that nobody is refused by surprise.

/** @typedef {{code: string, text: string}} Purpose */

/** The one entry of the list that says nothing by itself. */
export const OTHER = "khác";
export const TEXT_MAX = 200;

/**
 * What is missing of a purpose: its code, its text, or nothing.
 * @param {string} code one of the closed list, or empty
 * @param {string} text
 * @param {readonly string[]} codes the closed list
 * @returns {"code" | "text" | null}
 */
export function missingOf(code, text, codes) {
  if (!codes.includes(code)) return "code";
  // Spaces, dots and characters that nobody sees are no words.
  return code === OTHER && !/[\p{L}\p{N}]/u.test(text) ? "text" : null;
}

/** As it is sent. @param {string} code @param {string} text @returns {Purpose} */
export function purposeOf(code, text) {
  const words = text.normalize("NFC").replace(/\s+/gu, " ").trim();
  return { code, text: [...words].slice(0, TEXT_MAX).join("") };
}

/** The dialog of the page; `form` holds radio buttons `code`, a field `text`, and what is wrong. */
export class PurposeDialog {
  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.dialog = dialog;
    this.form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
    this.text = /** @type {HTMLInputElement} */ (this.form.elements.namedItem("text"));
    const radios = dialog.querySelectorAll("input[name=code]");
    this.radios = /** @type {HTMLInputElement[]} */ ([...radios]);
    this.codes = this.radios.map((radio) => radio.value);
    this.form.addEventListener("submit", (event) => this.#submit(event));
    this.form.addEventListener("change", () => this.#tell(null));
    this.text.addEventListener("input", () => this.#tell(null));
    dialog.querySelector("[data-cancel]")?.addEventListener("click", () => dialog.close(""));
  }

  /**
   * Asks, once at a time. What was answered before stands there, to be confirmed or changed.
   * @param {string} what what is to be seen, such as "Xem lại"
   * @returns {Promise<Purpose | null>} null when the person thought better of it
   */
  ask(what) {
    const { dialog } = this;
    const heading = dialog.querySelector("[data-what]");
    if (heading) heading.textContent = what;
    this.#tell(null);
    dialog.returnValue = "";
    dialog.showModal();
    (this.radios.find((radio) => radio.checked) ?? this.radios[0])?.focus();
    return new Promise((resolve) => {
      dialog.addEventListener(
        "close",
        () => resolve(dialog.returnValue ? purposeOf(this.#code(), this.text.value) : null),
        { once: true },
      );
    });
  }

  /** The words for a purpose, in the page's language. @param {Purpose} purpose */
  words({ code, text }) {
    const radio = this.radios.find((one) => one.value === code);
    const name = radio?.closest("label")?.textContent?.trim() || code;
    return text ? `${name}: ${text}` : name;
  }

  #code() {
    return this.radios.find((radio) => radio.checked)?.value ?? "";
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const missing = missingOf(this.#code(), this.text.value, this.codes);
    this.#tell(missing);
    if (missing === "code") this.radios[0]?.focus();
    else if (missing === "text") this.text.focus();
    else this.dialog.close("given");
  }

  /** @param {"code" | "text" | null} missing */
  #tell(missing) {
    for (const field of /** @type {const} */ (["code", "text"])) {
      const wrong = this.dialog.querySelector(`[data-wrong=${field}]`);
      if (wrong instanceof HTMLElement) wrong.hidden = missing !== field;
    }
    this.text.setAttribute("aria-invalid", String(missing === "text"));
  }
}
