import assert from "node:assert/strict";
import test from "node:test";

import { ClockMap, windowAround } from "../../../web/vonggac_web/static/clock_map.js";

const HOUR = 3600_000;
const START = Date.parse("2026-11-22T08:00:00+07:00");

/** Fragments of 2 s: `pieces` of [wall s after START, number]. */
function fragments(pieces) {
  const list = [];
  let start = 0;
  for (const [second, count] of pieces)
    for (let i = 0; i < count; i++) {
      list.push({ start, duration: 2, programDateTime: START + (second + 2 * i) * 1000 });
      start += 2;
    }
  return list;
}

test("fragments that follow each other are one piece, a gap begins another", () => {
  const map = ClockMap.ofFragments(
    fragments([
      [0, 30],
      [105, 10],
    ]),
  );
  assert.deepEqual(map.pieces, [
    { wall: START, wallLength: 60_000, media: 0, length: 60 },
    { wall: START + 105_000, wallLength: 20_000, media: 60, length: 20 },
  ]);
  assert.equal(map.from, START);
  assert.equal(map.to, START + 125_000);
  assert.equal(map.mediaEnd, 80);
});

test("a place behind a gap has the wall time of its own piece", () => {
  const map = ClockMap.ofFragments(
    fragments([
      [0, 30],
      [105, 10],
    ]),
  );
  assert.equal(map.wallAt(59.5), START + 59_500);
  assert.equal(map.wallAt(60), START + 105_000);
  assert.equal(map.wallAt(61), START + 106_000);
  assert.equal(map.wallAt(-1), START);
  assert.equal(map.wallAt(1000), START + 125_000);
});

test("a moment in a gap is the next picture, and the gap is told", () => {
  const map = ClockMap.ofFragments(
    fragments([
      [0, 30],
      [105, 10],
    ]),
  );
  assert.deepEqual(map.mediaAt(START + 70_000), {
    media: 60,
    wall: START + 105_000,
    gap: { from: START + 60_000, to: START + 105_000 },
  });
  assert.deepEqual(map.mediaAt(START + 30_000), { media: 30, wall: START + 30_000, gap: null });
  assert.deepEqual(map.mediaAt(START - 5000), {
    media: 0,
    wall: START,
    gap: { from: -Infinity, to: START },
  });
  assert.deepEqual(map.mediaAt(START + 125_000), {
    media: 80,
    wall: START + 125_000,
    gap: { from: START + 125_000, to: Infinity },
  });
});

test("every place maps to a moment and back", () => {
  const map = ClockMap.ofFragments(
    fragments([
      [0, 7],
      [15, 3],
      [4000, 900],
    ]),
  );
  for (let media = 0.01; media < map.mediaEnd; media += 1.37) {
    const found = map.mediaAt(map.wallAt(media));
    assert.ok(Math.abs(found.media - media) < 1e-6);
    assert.equal(found.gap, null);
  }
});

test("a camera's clock that drifts is followed piece by piece", () => {
  const list = fragments([[0, 3600]]).map((f) => ({
    ...f,
    programDateTime: f.programDateTime + f.start / 10, // 100 ppm
  }));
  const map = ClockMap.ofFragments(list);
  assert.ok(map.pieces.length > 5 && map.pieces.length < 20);
  for (const { start, programDateTime } of list)
    assert.ok(Math.abs(map.wallAt(start) - programDateTime) <= 60);
});

test("a piece whose wall time runs at another pace is followed exactly", () => {
  const map = new ClockMap([{ wall: START, wallLength: 3000, media: 0, length: 2 }]);
  assert.equal(map.wallAt(1), START + 1500);
  assert.equal(map.mediaAt(START + 1500).media, 1);
});

test("a clock that was set back confuses nothing but its own hour", () => {
  const map = new ClockMap([
    { wall: START + HOUR, wallLength: 60_000, media: 0, length: 60 },
    { wall: START, wallLength: 60_000, media: 60, length: 60 },
  ]);
  assert.equal(map.wallAt(70), START + 10_000);
  assert.equal(map.mediaAt(START + 10_000).media, 70);
  assert.equal(map.mediaAt(START + HOUR + 10_000).media, 10);
  assert.equal(map.from, START);
  assert.equal(map.to, START + HOUR + 60_000);
});

test("nothing recorded is no place", () => {
  const map = ClockMap.ofFragments([]);
  assert.ok(map.isEmpty);
  assert.equal(map.mediaAt(START), null);
  assert.ok(Number.isNaN(map.wallAt(0)));
});

test("the window around a moment holds it, with room ahead, inside the look", () => {
  const look = { from: START, to: START + 24 * HOUR };
  for (let wall = look.from; wall < look.to; wall += 977_000) {
    const { from, to } = windowAround(look, wall, HOUR);
    assert.ok(from >= look.from && to <= look.to && from <= wall && wall < to);
    assert.ok(to - wall > HOUR / 4 || to === look.to);
    assert.ok(to - from === HOUR);
  }
});

test("a window stays the same while one looks around in it", () => {
  const look = { from: START, to: START + 24 * HOUR };
  const windows = new Set();
  for (let s = 0; s < 800; s++)
    windows.add(windowAround(look, START + 5 * HOUR + s * 1000, HOUR).from);
  assert.equal(windows.size, 1);
});

test("a short look is one window", () => {
  const look = { from: START, to: START + 300_000 };
  assert.deepEqual(windowAround(look, START + 200_000, HOUR), look);
  assert.deepEqual(windowAround(look, START + 900_000, HOUR), look);
});
