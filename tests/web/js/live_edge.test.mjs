import assert from "node:assert/strict";
import test from "node:test";

import {
  afterCalm,
  afterStall,
  ageOf,
  edgeStep,
  insertShown,
  TARGET_S,
  trimEnd,
  wallAt,
} from "../../../web/vonggac_web/static/live_edge.js";

const usual = { rate: 1, frame: 0.04, target: TARGET_S, seeksOnly: false };
const upTo = (end) => ({ start: 1, end });

test("nothing buffered, nothing done", () => {
  assert.deepEqual(edgeStep({ ...usual, at: 0, newest: null }), { seek: null, rate: 1 });
});

test("the start is where the newest pictures are, not where media time begins", () => {
  const { seek } = edgeStep({ ...usual, at: 0, newest: upTo(3.04) });
  assert.ok(seek > 2.9 && seek < 3);
});

test("a start with one picture is that picture", () => {
  assert.equal(edgeStep({ ...usual, at: 0, newest: upTo(1.04) }).seek, 1);
});

test("near to now it plays as it is", () => {
  assert.deepEqual(edgeStep({ ...usual, at: 9.94, newest: upTo(10.04) }), { seek: null, rate: 1 });
});

test("behind, it plays faster, until half of the target is left", () => {
  const first = edgeStep({ ...usual, at: 9.6, newest: upTo(10.04) });
  assert.ok(first.rate > 1.1 && first.rate <= 1.3 && first.seek === null);
  const goesOn = edgeStep({ ...usual, rate: first.rate, at: 9.92, newest: upTo(10.04) });
  assert.ok(goesOn.rate > 1);
  assert.equal(edgeStep({ ...usual, rate: 1.1, at: 9.95, newest: upTo(10.04) }).rate, 1);
  assert.equal(edgeStep({ ...usual, rate: 1, at: 9.92, newest: upTo(10.04) }).rate, 1);
});

test("far behind, it jumps", () => {
  const { seek, rate } = edgeStep({ ...usual, at: 5, newest: upTo(10.04) });
  assert.ok(seek > 9.9 && seek < 10);
  assert.equal(rate, 1);
});

test("a browser that buffers anew at each change of pace jumps sooner, and never changes it", () => {
  const safari = { ...usual, seeksOnly: true };
  assert.deepEqual(edgeStep({ ...safari, at: 9.6, newest: upTo(10.04) }), { seek: null, rate: 1 });
  const { seek, rate } = edgeStep({ ...safari, at: 9, newest: upTo(10.04) });
  assert.ok(seek > 9.9);
  assert.equal(rate, 1);
});

test("a hole is jumped over, and so is what was taken away", () => {
  assert.ok(edgeStep({ ...usual, at: 4, newest: { start: 5, end: 6 } }).seek >= 5);
  assert.ok(edgeStep({ ...usual, at: 60, newest: upTo(6) }).seek < 6);
});

test("one picture a second is no reason to hurry", () => {
  const slow = { ...usual, frame: 1 };
  assert.deepEqual(edgeStep({ ...slow, at: 9.9, newest: upTo(11) }), { seek: null, rate: 1 });
  assert.deepEqual(edgeStep({ ...slow, at: 10.9, newest: upTo(11) }), { seek: null, rate: 1 });
});

/** Plays `seconds` of pictures that come every 40 ms, `late` s after their time. */
function play(seconds, late, start) {
  let at = start;
  let rate = 1;
  let target = TARGET_S;
  let stalls = 0;
  let isStalled = false;
  const behind = [];
  for (let ms = 0; ms < seconds * 1000; ms += 10) {
    const now = 10 + ms / 1000;
    const arrived = Math.floor((now - late(now)) / 0.04) * 0.04;
    const newest = { start: 1, end: arrived + 0.04 };
    if (at < newest.end - 0.001) at = Math.min(newest.end, at + 0.01 * rate);
    else if (!isStalled) {
      stalls++;
      target = afterStall(target);
    }
    isStalled = at >= newest.end - 0.001;
    if (ms % 100 === 0) {
      target = afterCalm(target, 0.1);
      const step = edgeStep({ at, newest, rate, frame: 0.04, target, seeksOnly: false });
      if (step.seek !== null) at = step.seek;
      rate = step.rate;
    }
    if (ms > 5000) behind.push(now - at);
  }
  behind.sort((a, b) => a - b);
  return { p95: behind[Math.floor(behind.length * 0.95)], stalls };
}

test("a viewer who comes a second behind is at the edge in five seconds and stays there", () => {
  const { p95, stalls } = play(60, () => 0.01, 9);
  assert.ok(p95 < 0.15, `${p95}`);
  assert.equal(stalls, 0);
});

test("pictures that come unevenly cost some distance, and few stalls", () => {
  let seed = 7;
  const jitter = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return 0.01 + 0.12 * (seed / 2_147_483_647);
  };
  const { p95, stalls } = play(120, jitter, 9.9);
  assert.ok(p95 < 0.6, `${p95}`);
  assert.ok(stalls < 20, `${stalls}`);
});

test("stalls widen the target up to a second, calm brings it back", () => {
  let target = TARGET_S;
  for (let n = 0; n < 60; n++) target = afterStall(target);
  assert.equal(target, 1);
  assert.equal(afterCalm(target, 1000), TARGET_S);
});

test("the past is thrown away in whole groups of pictures", () => {
  assert.equal(trimEnd(upTo(100), 15, [1, 3, 5]), null);
  assert.equal(trimEnd(upTo(100), 30, [1, 3, 5, 19, 21]), 19);
});

test("a group that is still shown is kept, however long it is", () => {
  assert.equal(trimEnd(upTo(100), 90, [1]), null);
  assert.equal(trimEnd(null, 90, [1, 2]), null);
});

test("the picture's own time is told, not that of what has come", () => {
  const shown = [];
  insertShown(shown, { start: 1, end: 2, wall: 1000 });
  insertShown(shown, { start: 2.04, end: 2.08, wall: 9000 });
  insertShown(shown, { start: 2, end: 2.04, wall: 8000 });
  assert.deepEqual(
    shown.map((one) => one.start),
    [1, 2, 2.04],
  );
  assert.equal(wallAt(shown, 0.5), null);
  assert.equal(wallAt(shown, 1.5), 1500);
  assert.equal(wallAt(shown, 2), 8000);
  // At the end the last picture stays, and grows old.
  assert.equal(wallAt(shown, 5), 9040);
});

test("a picture is old after three seconds", () => {
  assert.deepEqual(
    [-5, 0, 999, 1000, 2999, 3000, 61_500].map((ms) => ageOf(ms)),
    [
      { level: "fresh", seconds: 0 },
      { level: "fresh", seconds: 0 },
      { level: "fresh", seconds: 0 },
      { level: "late", seconds: 1 },
      { level: "late", seconds: 2 },
      { level: "old", seconds: 3 },
      { level: "old", seconds: 61 },
    ],
  );
});
