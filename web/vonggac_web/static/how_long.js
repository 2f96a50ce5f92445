// Lengths of time and rates in words. As vonggac_web/figures.py.

import { number, t } from "./page.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

/** The two greatest units that matter. @param {number} seconds */
export function howLong(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) return t("time.seconds", { n: whole });
  if (whole < HOUR) return t("time.minutes", { n: Math.floor(whole / MINUTE) });
  if (whole < DAY) return two("hours", HOUR, "minutes", MINUTE, whole);
  if (whole < 10 * DAY) return two("days", DAY, "hours", HOUR, whole);
  return t("time.days", { n: number(Math.floor(whole / DAY)) });
}

/** As cameras are set. @param {number} rate bits a second */
export function bitsPerSecond(rate) {
  if (rate >= 1e6) return `${number(rate / 1e6, 1)} Mbit/s`;
  if (rate >= 1e3) return `${number(rate / 1e3, 1)} kbit/s`;
  return `${number(rate)} bit/s`;
}

/**
 * @param {string} first
 * @param {number} great seconds
 * @param {string} second
 * @param {number} small seconds
 * @param {number} whole seconds
 */
function two(first, great, second, small, whole) {
  const words = t(`time.${first}`, { n: Math.floor(whole / great) });
  const few = Math.floor((whole % great) / small);
  return few ? `${words} ${t(`time.${second}`, { n: few })}` : words;
}
