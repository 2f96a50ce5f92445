// Names as people type them in a hurry: without diacritics and in any case. As vonggac/registry/search.py.

/** «Ngõ Đội Cấn» as `ngo doi can`. @param {string} text */
export function folded(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("đ", "d");
}

/**
 * Whether every word of `wanted` stands somewhere in one of the texts.
 * @param {string} wanted
 * @param {string[]} texts
 */
export function isFound(wanted, texts) {
  const searched = folded(texts.join(" "));
  return folded(wanted)
    .split(/\s+/)
    .every((word) => searched.includes(word));
}
