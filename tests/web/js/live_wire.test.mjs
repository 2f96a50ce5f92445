import assert from "node:assert/strict";
import test from "node:test";

import { parseMessage, parseText, shownTime } from "../../../web/vonggac_web/static/live_wire.js";

function message({ type = 2, tile = 3, flags = 0, number = 7, wallUs = 1_763_700_000_000_000n }) {
  const raw = new ArrayBuffer(20);
  const view = new DataView(raw);
  view.setUint8(0, type);
  view.setUint8(1, tile);
  view.setUint16(2, flags);
  view.setUint32(4, number);
  view.setBigInt64(8, wallUs);
  view.setUint32(16, 0xdeadbeef);
  return raw;
}

test("a message says what it is, and its bytes are not copied", () => {
  const raw = message({ flags: 4 });
  const parsed = parseMessage(raw);
  assert.deepEqual(
    { ...parsed, data: [...parsed.data] },
    {
      kind: "media",
      tile: 3,
      isDamaged: false,
      isSkipped: false,
      isSync: true,
      number: 7,
      wall: 1_763_700_000_000,
      data: [0xde, 0xad, 0xbe, 0xef],
    },
  );
  assert.equal(parsed.data.buffer, raw);
});

test("each flag is one thing", () => {
  const flags = [1, 2, 4, 7].map((n) => parseMessage(message({ flags: n })));
  const told = flags.map((m) => [m.isDamaged, m.isSkipped, m.isSync].map(Number).join(""));
  assert.deepEqual(told, ["100", "010", "001", "111"]);
});

test("what is too short, or of a newer box, is no message", () => {
  assert.equal(parseMessage(new ArrayBuffer(15)), null);
  assert.equal(parseMessage(message({ type: 9 })), null);
  assert.equal(parseMessage(message({ type: 1 })).kind, "init");
});

function box(type, ...parts) {
  const body = parts.flatMap((part) => [...part]);
  const size = 8 + body.length;
  return [...word(size), ...[...type].map((letter) => letter.charCodeAt(0)), ...body];
}

function word(value) {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255);
}

/** A fragment as the box makes them: samples of [duration, composition offset] in ticks. */
function fragment(decode, samples) {
  const tfdt = box("tfdt", word(0x01000000), word(Math.floor(decode / 2 ** 32)), word(decode));
  const table = samples.flatMap(([duration, offset]) =>
    [duration, 4, 0, offset].flatMap((value) => word(value)),
  );
  const trun = box("trun", word(0x01000f01), word(samples.length), word(0), table);
  const tfhd = box("tfhd", word(0x020000), word(1));
  const moof = box("moof", box("mfhd", word(0), word(1)), box("traf", tfhd, tfdt, trun));
  return new Uint8Array([...moof, ...box("mdat", word(0))]);
}

test("a fragment says when it is shown", () => {
  const time = shownTime(fragment(90_000, [[3600, 0]]));
  assert.deepEqual(time, { start: 1, end: 1.04, last: 0.04 });
});

test("pictures that are decoded in another order are shown from the first to the last", () => {
  const offsets = [7200, 14_400, 3600, 0];
  const time = shownTime(
    fragment(
      2 ** 33 + 90_000,
      offsets.map((offset) => [3600, offset]),
    ),
  );
  const start = 2 ** 33 / 90_000 + 1 + 0.08;
  assert.ok(Math.abs(time.start - start) < 1e-6);
  assert.ok(Math.abs(time.end - (start + 0.16)) < 1e-6);
});

test("an offset may be negative", () => {
  assert.equal(shownTime(fragment(90_000, [[3600, -3600 >>> 0]])).start, 0.96);
});

test("no bytes throw, and what is no fragment has no time", () => {
  const whole = fragment(90_000, [
    [3600, 0],
    [3600, 0],
  ]);
  assert.equal(shownTime(new Uint8Array(0)), null);
  for (let size = 0; size < whole.length - 12; size++)
    assert.equal(shownTime(whole.slice(0, size)), null);
  let seed = 1;
  for (let n = 0; n < 5000; n++) {
    const broken = whole.slice();
    for (let k = 0; k < 3; k++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      broken[seed % broken.length] = seed >> 8;
    }
    shownTime(broken);
  }
});

test("a fragment that lies behind other bytes is read where it lies", () => {
  const raw = new Uint8Array([...new Uint8Array(16), ...fragment(180_000, [[3600, 0]])]);
  assert.equal(shownTime(new Uint8Array(raw.buffer, 16)).start, 2);
});

test("a text that is no object is nothing", () => {
  assert.deepEqual(parseText('{"tile": 1}'), { tile: 1 });
  for (const text of ["", "{", "1", "null", "[]", '"x"']) assert.equal(parseText(text), null);
});
