import assert from "node:assert/strict";
import test from "node:test";

import {
  clockText,
  dayStart,
  dayText,
  hoursOf,
  isoDay,
  minutesText,
  parseDay,
  parseTyped,
} from "../../../web/vonggac_web/static/wall_time.js";

const at = (text) => Date.parse(`${text}+07:00`);
const SHOWN = at("2026-11-22T09:00:00");
const NOW = at("2026-11-22T23:00:00");
const typed = (text) => parseTyped(text, SHOWN, NOW);

test("a day begins at midnight in Viet Nam, wherever the browser is", () => {
  assert.equal(dayStart(at("2026-11-22T00:00:00")), at("2026-11-22T00:00:00"));
  assert.equal(dayStart(at("2026-11-22T23:59:59.999")), at("2026-11-22T00:00:00"));
  assert.equal(isoDay(at("2026-11-22T00:30:00")), "2026-11-22");
  assert.equal(dayText(at("2026-01-02T06:59:00")), "02/01/2026");
  assert.equal(clockText(at("2026-11-22T06:07:08.009")), "06:07:08");
  assert.equal(clockText(at("2026-11-22T06:07:08.009"), true), "06:07:08.009");
});

for (const [text, expected] of [
  ["20:03", "2026-11-22T20:03:00"],
  ["20:03:09", "2026-11-22T20:03:09"],
  ["  8:3 ", "2026-11-22T08:03:00"],
  ["20h", "2026-11-22T20:00:00"],
  ["20h03", "2026-11-22T20:03:00"],
  ["20 giờ 3 phút", "2026-11-22T20:03:00"],
  ["20 GIỜ 3 PHÚT 9 giây", "2026-11-22T20:03:09"],
  ["200309", "2026-11-22T20:03:09"],
  ["2003", "2026-11-22T20:03:00"],
  ["21/11 20:03", "2026-11-21T20:03:00"],
  ["21/11/2025 20:03:09", "2025-11-21T20:03:09"],
  ["2026-11-21 20:03", "2026-11-21T20:03:00"],
  ["2026-11-21T20:03:09", "2026-11-21T20:03:09"],
  ["29/2/2024 0:00", "2024-02-29T00:00:00"],
]) {
  test(`${text.trim()} is understood`, () => {
    assert.deepEqual(typed(text), { ms: at(expected) });
    assert.deepEqual(typed(text.normalize("NFD")), { ms: at(expected) });
  });
}

for (const text of [
  "24:00",
  "12:60",
  "12:00:60",
  "99h",
  "31/2 10:00",
  "29/2/2026 10:00",
  "0/1 10:00",
])
  test(`${text} does not exist`, () => assert.deepEqual(typed(text), { wrong: "none" }));

for (const text of ["23:00:01", "23/11 0:00", "1/1/2027 10:00"])
  test(`${text} lies in the future`, () => assert.deepEqual(typed(text), { wrong: "future" }));

for (const text of ["", "mai", "20", "20:3x", "-1:00", "20:03:09:01", "<b>20:03</b>", "1e3:00"])
  test(`"${text}" is no time`, () => assert.deepEqual(typed(text), { wrong: "form" }));

test("a date of the calendar is a day, any other none", () => {
  assert.equal(parseDay("2026-11-22"), at("2026-11-22T00:00:00"));
  assert.equal(parseDay("2026-02-30"), null);
  assert.equal(parseDay(""), null);
});

test("hours of one side alone reach to the day's beginning or end", () => {
  assert.equal(hoursOf("", ""), null);
  assert.deepEqual(hoursOf("20:00", "02:30"), [1200, 150]);
  assert.deepEqual(hoursOf("20:00", ""), [1200, 1440]);
  assert.deepEqual(hoursOf("", "06:00"), [0, 360]);
  assert.deepEqual(hoursOf("", "00:00"), [0, 1440]);
  assert.deepEqual(hoursOf("22:00", "00:00"), [1320, 1440]);
  assert.deepEqual([0, 150, 1440].map(minutesText), ["00:00", "02:30", "24:00"]);
});
