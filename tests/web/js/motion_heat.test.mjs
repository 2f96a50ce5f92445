// The heat picture: what its colours and its words are made of.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= { getElementById: () => null, documentElement: { lang: "vi" } };
globalThis.HTMLElement ??= class {};
globalThis.customElements ??= { define() {} };
const { COLUMNS, ROWS, hottest, shades } =
  await import("../../../web/vonggac_web/static/motion_heat.js");

const counts = new Array(COLUMNS * ROWS).fill(0);
counts[2 * COLUMNS + 3] = 1;
counts[35 * COLUMNS + 63] = 1000;

test("where nothing moved the picture is seen as it is", () => {
  assert.deepEqual([...shades(counts).slice(0, 4)], [0, 0, 0, 0]);
  assert.ok(shades(new Array(COLUMNS * ROWS).fill(0)).every((part) => part === 0));
});

test("one second is seen beside a thousand, and is cooler", () => {
  const pixels = shades(counts);
  const [seldom, often] = [2 * COLUMNS + 3, 35 * COLUMNS + 63].map((cell) =>
    pixels.slice(4 * cell, 4 * cell + 4),
  );
  assert.ok(seldom[3] > 50 && seldom[3] < often[3]);
  assert.ok(seldom[1] > often[1]);
});

test("the hottest place is told in parts of the picture", () => {
  assert.deepEqual(hottest(counts), { count: 1000, x: 63.5 / 64, y: 35.5 / 36 });
  assert.equal(hottest(new Array(COLUMNS * ROWS).fill(0)), null);
});
