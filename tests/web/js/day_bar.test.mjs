import assert from "node:assert/strict";
import test from "node:test";

import { pieces, recordedMs } from "../../../web/vonggac_web/static/day_bar.js";

const HOUR = 3_600_000;
const day = (ranges, gaps = []) => ({ from: 0, to: 24 * HOUR, ranges, gaps });

test("a day has five minutes a pixel", () => {
  assert.deepEqual(pieces(day([[12 * HOUR, 24 * HOUR]])), [
    { kind: "recorded", x: 144, width: 144, gap: null },
  ]);
});

test("a gap of a second is a pixel wide, and over what is recorded", () => {
  const gap = [6 * HOUR, 6 * HOUR + 1000, "network"];
  const [recorded, drawn] = pieces(day([[0, 24 * HOUR]], [gap]));
  assert.equal(recorded.width, 288);
  assert.deepEqual(drawn, { kind: "gap", x: 72, width: 1, gap });
});

test("nothing recorded is nothing drawn", () => {
  assert.deepEqual(pieces(day([])), []);
  assert.equal(recordedMs(day([])), 0);
});

test("what is recorded is the sum of its ranges", () => {
  const ranges = [
    [0, HOUR],
    [5 * HOUR, 7 * HOUR],
  ];
  assert.equal(recordedMs(day(ranges)), 3 * HOUR);
});
