// What every page has: its words, and times as this country says them.

const element = document.getElementById("texts");
/** @type {Record<string, string>} */
const texts = JSON.parse(element?.textContent || "{}");

const ZONE = "Asia/Ho_Chi_Minh";
const locale = document.documentElement.lang === "en" ? "en-GB" : "vi-VN";

/**
 * The words for a key below `js.`, with `{name}` filled in. Set them with textContent.
 * @param {string} key without its `js.`
 * @param {Record<string, string | number>} [values]
 * @returns {string}
 */
export function t(key, values = {}) {
  const text = texts[`js.${key}`];
  if (text === undefined) throw new Error(`no text for js.${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** @param {string} key */
export function hasText(key) {
  return `js.${key}` in texts;
}

const time = new Intl.DateTimeFormat(locale, {
  timeZone: ZONE,
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const dateTime = new Intl.DateTimeFormat(locale, {
  timeZone: ZONE,
  day: "2-digit",
  month: "2-digit",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** 20:03:09. @param {number} ms since 1970 UTC */
export function timeOfDay(ms) {
  return time.format(ms);
}

/** 22/11/2026 20:03:09. @param {number} ms since 1970 UTC */
export function dateAndTime(ms) {
  const parts = Object.fromEntries(dateTime.formatToParts(ms).map((p) => [p.type, p.value]));
  return `${parts.day}/${parts.month}/${parts.year} ${parts.hour}:${parts.minute}:${parts.second}`;
}

/** A number as the page's language writes it. @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  return value.toLocaleString(locale, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
