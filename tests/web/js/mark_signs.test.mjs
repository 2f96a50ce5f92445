// Signs of marks below the day's line: what cannot be pressed apart is one, and nothing is lost.

import assert from "node:assert/strict";
import { test } from "node:test";

import { counted, listed, SIGN_PX, signs } from "../../../web/vonggac_web/static/mark_signs.js";

const view = { from: 0, to: 1000 };
const mark = (from, to = from + 1, kind = "lorry", hook = 1) => ({
  camera: "c",
  from,
  to,
  kind,
  box: [0, 0, 1, 1],
  score: 1,
  hook,
  name: "desk",
});

test("marks that lie apart have a sign each, from the left", () => {
  const found = signs(view, 1000, [mark(500), mark(100)]);
  assert.deepEqual(
    found.map(({ x, marks }) => [x, marks.length]),
    [
      [100 - SIGN_PX / 2, 1],
      [500 - SIGN_PX / 2, 1],
    ],
  );
});

test("marks that a finger cannot tell apart are one sign, and no sign lies on another", () => {
  const many = Array.from({ length: 1000 }, (_, at) => mark(at));
  const found = signs(view, 500, many);
  assert.equal(
    found.reduce((sum, one) => sum + one.marks.length, 0),
    1000,
  );
  found.slice(1).forEach(({ x }, at) => assert.ok(x - found[at].x >= SIGN_PX));
});

test("what began before the view has its sign at the rim, what is outside has none", () => {
  const found = signs({ from: 100, to: 200 }, 100, [mark(50, 150), mark(0, 100), mark(200, 300)]);
  assert.deepEqual(
    found.map(({ x, marks }) => [x, marks.length]),
    [[0, 1]],
  );
});

test("a sign says how many of each kind and program it stands for, the most first", () => {
  const found = counted([mark(1), mark(2, 3, "bus"), mark(3, 4, "bus"), mark(4, 5, "bus", 2)]);
  assert.deepEqual(
    found.map(({ kind, hook, count }) => [kind, hook, count]),
    [
      ["bus", 1, 2],
      ["lorry", 1, 1],
      ["bus", 2, 1],
    ],
  );
});

test("a list has room for the newest of each program, and keeps their order", () => {
  const many = [9, 8, 7, 6, 5].map((from) => mark(from, from + 1, "lorry", 2));
  const marks = [...many, mark(4), mark(3)];
  const fromOf = (most) => listed(marks, most).map(({ from }) => from);
  assert.deepEqual(fromOf(10), [9, 8, 7, 6, 5, 4, 3]);
  assert.deepEqual(fromOf(5), [9, 8, 7, 4, 3]);
  assert.deepEqual(fromOf(3), [9, 8, 4]);
});
