import assert from "node:assert/strict";
import test from "node:test";

import { FrameStep } from "../../../web/vonggac_web/static/frame_step.js";

/** A stream of `rate` pictures a second that plays `count` of them. */
function played(rate, count = 20, dropped = () => false) {
  const steps = new FrameStep();
  for (let n = 0; n < count; n++) if (!dropped(n)) steps.saw(n / rate, n / rate + 0.01, true);
  return steps;
}

for (const rate of [5, 12.5, 25, 30, 60])
  test(`at ${rate} pictures a second every step is one picture`, () => {
    const steps = played(rate);
    for (let n = 1; n <= 12; n++) {
      const target = steps.target(1, 0);
      assert.equal(Math.floor(target * rate), 19 + n);
    }
    for (let n = 11; n >= 1; n--) assert.equal(Math.floor(steps.target(-1, 0) * rate), 19 + n);
  });

test("pictures that were dropped do not make a step longer", () => {
  const steps = played(25, 60, (n) => n % 7 === 0);
  assert.equal(Math.floor(steps.target(1, 0) * 25), 60);
});

test("a browser that names the sought place does not lead astray", () => {
  const steps = played(25);
  for (let n = 1; n <= 5; n++) {
    const target = steps.target(1, 0);
    steps.saw(target, target, false);
    assert.equal(Math.floor(target * 25), 19 + n);
  }
});

test("after a seek it begins where the element stands, never before the first picture", () => {
  const steps = played(25);
  steps.forget();
  assert.ok(Math.abs(steps.target(1, 3) - 3.06) < 1e-9);
  steps.forget();
  assert.equal(steps.target(-1, 0.01), 0);
});
