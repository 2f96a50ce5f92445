// Times as people here type and read them. Viet Nam has been at UTC+7 without a summer time since
// 1975, so a day has 24 hours and every time of a day that exists comes once.

const OFFSET_MS = 7 * 3600_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3600_000;
export const DAY_MS = 24 * HOUR_MS;

/** The midnight at which the day of a moment began. @param {number} ms since 1970 UTC */
export function dayStart(ms) {
  return Math.floor((ms + OFFSET_MS) / DAY_MS) * DAY_MS - OFFSET_MS;
}

/** Date and time of a moment, in numbers. @param {number} ms since 1970 UTC */
export function partsOf(ms) {
  const date = new Date(ms + OFFSET_MS);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    milli: date.getUTCMilliseconds(),
  };
}

/** @param {number} value @param {number} [digits] */
function padded(value, digits = 2) {
  return String(value).padStart(digits, "0");
}

/** 2026-11-22, as <input type="date"> has it. @param {number} ms since 1970 UTC */
export function isoDay(ms) {
  const at = partsOf(ms);
  return `${padded(at.year, 4)}-${padded(at.month)}-${padded(at.day)}`;
}

/** 22/11/2026. @param {number} ms since 1970 UTC */
export function dayText(ms) {
  const at = partsOf(ms);
  return `${padded(at.day)}/${padded(at.month)}/${at.year}`;
}

/** 20:03:09, or with its thousandths. @param {number} ms since 1970 UTC @param {boolean} [exact] */
export function clockText(ms, exact = false) {
  const at = partsOf(ms);
  const whole = `${padded(at.hour)}:${padded(at.minute)}:${padded(at.second)}`;
  return exact ? `${whole}.${padded(at.milli, 3)}` : whole;
}

/** 20:03. @param {number} ms since 1970 UTC */
export function minuteText(ms) {
  return clockText(ms).slice(0, 5);
}

/**
 * A moment from its date and time, or null where the calendar or the clock has no such.
 * @param {number} year @param {number} month from 1 @param {number} day
 * @param {number} hour @param {number} minute @param {number} second
 */
export function moment(year, month, day, hour, minute, second) {
  if (hour > 23 || minute > 59 || second > 59) return null;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second) - OFFSET_MS;
  const at = partsOf(ms);
  // Date takes the 31st of February for the 3rd of March.
  return at.year === year && at.month === month && at.day === day ? ms : null;
}

/** The day of <input type="date">, or null. @param {string} text */
export function parseDay(text) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  return match && moment(Number(match[1]), Number(match[2]), Number(match[3]), 0, 0, 0);
}

const DATE_FIRST = /^(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?[\s,]+(.+)$/;
const ISO_FIRST = /^(\d{4})-(\d{1,2})-(\d{1,2})[\st]+(.+)$/;
const CLOCK =
  /^(\d{1,2})\s*(?::|h|g|giờ|\.)\s*(?:(\d{1,2})\s*(?:(?::|m|p|phút|\.)\s*(?:(\d{1,2})\s*(?:s|giây)?)?)?)?$/u;
const DIGITS = /^(\d{2})(\d{2})(\d{2})?$/;

/**
 * @typedef {{ms: number} | {wrong: "form" | "none" | "future"}} Typed `none`: there is no such time
 */

/**
 * The moment that somebody typed: `20:03`, `20:03:09`, `20h03`, `20 giờ 3 phút`, `200309`, each also
 * after a date (`22/11`, `22/11/2026`, `2026-11-22`). Without a date the day shown is meant.
 * @param {string} text
 * @param {number} shown a moment of the day that is shown
 * @param {number} now nothing later can have been recorded
 * @returns {Typed}
 */
export function parseTyped(text, shown, now) {
  const typed = text.normalize("NFC").trim().toLowerCase();
  const day = partsOf(dayStart(shown));
  let { year, month } = day;
  let dayOfMonth = day.day;
  let rest = typed;
  const iso = ISO_FIRST.exec(typed);
  const local = iso ? null : DATE_FIRST.exec(typed);
  if (iso) [year, month, dayOfMonth, rest] = [+iso[1], +iso[2], +iso[3], iso[4]];
  else if (local) {
    [dayOfMonth, month, rest] = [+local[1], +local[2], local[4]];
    if (local[3]) year = +local[3];
  }
  const clock = CLOCK.exec(rest.trim()) ?? DIGITS.exec(rest.trim());
  if (!clock) return { wrong: "form" };
  const [hour, minute, second] = [+clock[1], +(clock[2] ?? 0), +(clock[3] ?? 0)];
  const ms = moment(year, month, dayOfMonth, hour, minute, second);
  if (ms === null) return { wrong: "none" };
  return ms > now ? { wrong: "future" } : { ms };
}

/** Minutes of a day. */
const DAY_MINUTES = 24 * 60;

/** Minutes of the day of <input type="time">, or null. @param {string} text */
function minutesOf(text) {
  const match = /^(\d{2}):(\d{2})/.exec(text);
  return match && Number(match[1]) * 60 + Number(match[2]);
}

/**
 * Hours of the day, in minutes, as two <input type="time"> have them: where one is empty the day's
 * beginning or end stands for it. Null: both are.
 * @param {string} fromText @param {string} toText
 * @returns {[from: number, to: number] | null}
 */
export function hoursOf(fromText, toText) {
  const [from, to] = [minutesOf(fromText), minutesOf(toText)];
  if (from === null && to === null) return null;
  return [from ?? 0, to || DAY_MINUTES]; // midnight at the end is the end of the day
}

/** 20:00, or 24:00. @param {number} minutes of the day */
export function minutesText(minutes) {
  return `${padded(Math.floor(minutes / 60))}:${padded(minutes % 60)}`;
}
