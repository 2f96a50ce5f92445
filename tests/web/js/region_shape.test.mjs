// Regions as they are drawn, moved and typed.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  contains,
  cornerAt,
  isRectangle,
  isRegion,
  moved,
  parsePoints,
  pictureIn,
  pointAt,
  pointsText,
  rectangleOf,
  withCorner,
} from "../../../web/vonggac_web/static/region_shape.js";

const GATE = rectangleOf([0.2, 0.4], [0.6, 0.8]);

test("a picture stands in the middle of a box of another shape", () => {
  assert.deepEqual(pictureIn(1000, 400, 640, 360), {
    left: (1000 - (400 * 16) / 9) / 2,
    top: 0,
    width: (400 * 16) / 9,
    height: 400,
  });
  assert.equal(pictureIn(400, 1000, 640, 360).top, (1000 - 225) / 2);
  assert.deepEqual(pictureIn(300, 200, 0, 0), { left: 0, top: 0, width: 300, height: 200 });
});

test("a pointer beside the picture is at its rim", () => {
  const rect = { left: 100, top: 0, width: 200, height: 100 };
  assert.deepEqual(pointAt(200, 50, rect), [0.5, 0.5]);
  assert.deepEqual(pointAt(0, 150, rect), [0, 1]);
});

test("a rectangle may be pulled open from any of its corners", () => {
  const wanted = [
    [0.2, 0.4],
    [0.6, 0.4],
    [0.6, 0.8],
    [0.2, 0.8],
  ];
  assert.deepEqual(GATE, wanted);
  assert.deepEqual(rectangleOf([0.6, 0.8], [0.2, 0.4]), wanted);
  assert.deepEqual(rectangleOf([0.6, 0.4], [0.2, 0.8]), wanted);
});

test("what is moved stays whole and in the picture", () => {
  assert.deepEqual(moved(GATE, 0.1, -0.1), rectangleOf([0.3, 0.3], [0.7, 0.7]));
  assert.deepEqual(moved(GATE, 5, 5), rectangleOf([0.6, 0.6], [1, 1]));
  assert.deepEqual(moved(GATE, -5, -5), rectangleOf([0, 0], [0.4, 0.4]));
});

test("a corner that is moved takes a rectangle's neighbours with it, a polygon's not", () => {
  assert.deepEqual(withCorner(GATE, 2, [0.9, 0.9], true), rectangleOf([0.2, 0.4], [0.9, 0.9]));
  assert.deepEqual(withCorner(GATE, 0, [0.9, 0.9], true), rectangleOf([0.6, 0.8], [0.9, 0.9]));
  const triangle = [
    [0, 0],
    [1, 0],
    [0, 1],
  ];
  assert.deepEqual(withCorner(triangle, 1, [0.5, 0.5], false)[1], [0.5, 0.5]);
});

test("the nearest corner within reach is taken", () => {
  const rect = { left: 0, top: 0, width: 100, height: 100 };
  assert.equal(cornerAt(GATE, 22, 41, rect, 10), 0);
  assert.equal(cornerAt(GATE, 61, 79, rect, 10), 2);
  assert.equal(cornerAt(GATE, 40, 60, rect, 10), -1);
  assert.equal(cornerAt([], 40, 60, rect, 10), -1);
});

test("what lies inside is told from what lies beside, in a bay too", () => {
  assert.ok(contains(GATE, [0.4, 0.6]));
  assert.ok(!contains(GATE, [0.1, 0.6]));
  assert.ok(!contains([], [0.5, 0.5]));
  const u = [
    [0, 0],
    [0.2, 0],
    [0.2, 0.8],
    [0.8, 0.8],
    [0.8, 0],
    [1, 0],
    [1, 1],
    [0, 1],
  ];
  assert.ok(contains(u, [0.1, 0.5]) && contains(u, [0.5, 0.9]));
  assert.ok(!contains(u, [0.5, 0.5]));
});

test("a click and a line are no regions", () => {
  assert.ok(isRegion(GATE));
  assert.ok(!isRegion(rectangleOf([0.5, 0.5], [0.5, 0.5])));
  assert.ok(!isRegion(rectangleOf([0.1, 0.5], [0.9, 0.5])));
  assert.ok(!isRegion([]));
});

test("a rectangle is told from a polygon of four corners", () => {
  assert.ok(isRectangle(GATE));
  assert.ok(!isRectangle(GATE.slice(0, 3)));
  assert.ok(!isRectangle(withCorner(GATE, 0, [0.1, 0.1], false)));
});

test("corners are typed in per cent; two are those of a rectangle", () => {
  assert.equal(pointsText(GATE), "20,40 60,40 60,80 20,80");
  assert.deepEqual(parsePoints(pointsText(GATE)), GATE);
  assert.deepEqual(parsePoints(" 60,80;20,40 "), GATE);
  assert.deepEqual(parsePoints("0 0, 12.5 0, 0 100"), [
    [0, 0],
    [0.125, 0],
    [0, 1],
  ]);
  assert.deepEqual(parsePoints(""), []);
});

test("what is no region is not taken for one", () => {
  for (const text of [
    "20",
    "20,40 60",
    "a,b c,d",
    "-1,0 5,5",
    "0,0 101,5",
    "5,5 5,9",
    "1,1 1,1 1,1",
  ])
    assert.equal(parsePoints(text), null, text);
  assert.equal(parsePoints("1,2 ".repeat(101)), null);
});
