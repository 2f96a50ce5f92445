import assert from "node:assert/strict";
import test from "node:test";

import {
  bars,
  clamped,
  gapAt,
  isRecorded,
  panned,
  showing,
  ticks,
  toWall,
  toX,
  zoomed,
} from "../../../web/vonggac_web/static/timeline_view.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIDNIGHT = Date.parse("2026-11-22T00:00:00+07:00");
const LIMITS = { from: MIDNIGHT - 30 * DAY, to: MIDNIGHT + DAY };
const TODAY = { from: MIDNIGHT, to: MIDNIGHT + DAY };

test("a pixel is a moment and back", () => {
  assert.equal(toX(TODAY, 960, MIDNIGHT + 12 * HOUR), 480);
  assert.equal(toWall(TODAY, 960, 480), MIDNIGHT + 12 * HOUR);
});

test("what is under the pointer stays there when it is enlarged", () => {
  const at = toWall(TODAY, 1000, 333);
  let view = TODAY;
  for (let i = 0; i < 30; i++) view = zoomed(view, 0.8, at, LIMITS);
  assert.ok(Math.abs(toX(view, 1000, at) - 333) < 1e-6);
  assert.ok(view.to - view.from >= MINUTE);
});

test("no view is longer than a day, shorter than a minute, or outside", () => {
  assert.deepEqual(zoomed(TODAY, 4, MIDNIGHT, LIMITS), TODAY);
  const near = zoomed(TODAY, 1e-9, MIDNIGHT + HOUR, LIMITS);
  assert.equal(near.to - near.from, MINUTE);
  assert.deepEqual(panned(TODAY, 5 * HOUR, LIMITS), TODAY);
  assert.deepEqual(panned(TODAY, -HOUR, LIMITS), {
    from: MIDNIGHT - HOUR,
    to: MIDNIGHT + 23 * HOUR,
  });
  assert.deepEqual(clamped({ from: 0, to: 1 }, LIMITS), {
    from: LIMITS.from,
    to: LIMITS.from + MINUTE,
  });
});

test("the playing moment is brought back into view, and not moved when it is inside", () => {
  const view = { from: MIDNIGHT, to: MIDNIGHT + HOUR };
  assert.equal(showing(view, MIDNIGHT + 30 * MINUTE, LIMITS), view);
  const moved = showing(view, MIDNIGHT + 2 * HOUR, LIMITS);
  assert.equal(moved.to - moved.from, HOUR);
  assert.ok(moved.from < MIDNIGHT + 2 * HOUR && MIDNIGHT + 2 * HOUR < moved.to);
});

test("times are written at round times with room between them", () => {
  for (const span of [MINUTE, 10 * MINUTE, HOUR, 5 * HOUR, DAY])
    for (const width of [320, 900, 1300]) {
      const view = { from: MIDNIGHT + 12345, to: MIDNIGHT + 12345 + span };
      const { step, at } = ticks(view, width, 60);
      assert.ok(at.length <= width / 60 + 1 && at.length >= 1, `${span} ${width}: ${at.length}`);
      for (const ms of at) assert.equal((ms - MIDNIGHT) % step, 0);
    }
});

test("a gap of a second is found by a pointer that is a little off", () => {
  const gaps = [
    [MIDNIGHT + HOUR, MIDNIGHT + HOUR + 1000, "camera-off"],
    [MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR, "wi-fi"],
  ];
  assert.equal(gapAt(gaps, MIDNIGHT + HOUR - 40_000, MINUTE)[2], "camera-off");
  assert.equal(gapAt(gaps, MIDNIGHT + 2.5 * HOUR, MINUTE)[2], "wi-fi");
  assert.equal(gapAt(gaps, MIDNIGHT + 1.5 * HOUR, MINUTE), null);
});

test("bars are at least a line wide, and those that touch are one", () => {
  const ranges = [
    [MIDNIGHT - HOUR, MIDNIGHT + HOUR],
    [MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR],
    [MIDNIGHT + 12 * HOUR, MIDNIGHT + 12 * HOUR + 1],
    [MIDNIGHT + 30 * HOUR, MIDNIGHT + 31 * HOUR],
  ];
  assert.deepEqual(bars(TODAY, 240, ranges, 2), [
    [0, 20],
    [120, 2],
  ]);
  assert.ok(isRecorded(ranges, MIDNIGHT));
  assert.ok(!isRecorded(ranges, MIDNIGHT + 3 * HOUR));
});
