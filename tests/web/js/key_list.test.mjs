// The list of key frames, and one of them as a fragment of its own.

import assert from "node:assert/strict";
import test from "node:test";

import { codecOf, keyAt, keysOf, onePicture } from "../../../web/vonggac_web/static/key_list.js";

const LIST = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-I-FRAMES-ONLY
#EXT-X-MAP:URI="H-aa.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T11:00:00.000+07:00
#EXTINF:2.00000,
#EXT-X-BYTERANGE:4665@4431
S-d0d0d0d0.0.9.mp4
#EXTINF:1.50000,
#EXT-X-BYTERANGE:100@2101583
S-d0d0d0d0.0.9.mp4
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="H-bb.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-11-22T11:01:00.000+07:00
#EXTINF:2.00000,
#EXT-X-BYTERANGE:7@8
S-d0d0d0d0.1.10.mp4
#EXT-X-ENDLIST
`;

test("a list of key frames is places in time and in bytes", () => {
  const one = { uri: "S-d0d0d0d0.0.9.mp4", head: "H-aa.mp4" };
  assert.deepEqual(keysOf(LIST), [
    { ...one, start: 0, length: 2, first: 4431, last: 9095 },
    { ...one, start: 2, length: 1.5, first: 2101583, last: 2101682 },
    {
      start: 3.5,
      length: 2,
      first: 8,
      last: 14,
      uri: "S-d0d0d0d0.1.10.mp4",
      head: "H-bb.mp4",
    },
  ]);
  assert.deepEqual(keysOf("#EXTM3U\n#EXT-X-ENDLIST\n"), []);
});

test("a moment is decoded from the key frame at or before it", () => {
  const keys = keysOf(LIST);
  const startAt = (media) => keyAt(keys, media)?.start;
  assert.deepEqual([-1, 0, 1.99, 2, 3.4, 3.5, 99].map(startAt), [0, 0, 0, 2, 2, 3.5, 3.5]);
  assert.equal(keyAt([], 0), null);
});

test("the codec stands in the list of lists", () => {
  assert.equal(
    codecOf('#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="hvc1.1.6.L93.B0"\n'),
    "hvc1.1.6.L93.B0",
  );
  assert.equal(codecOf("#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n"), null);
});

/** A box. @param {string} type @param {Uint8Array} body @param {number} [told] its size */
function box(type, body, told = body.length + 8) {
  const made = new Uint8Array(body.length + 8);
  new DataView(made.buffer).setUint32(0, told);
  made.set(new TextEncoder().encode(type), 4);
  made.set(body, 8);
  return made;
}

/** What of a chunk a key frame's range holds: `mdat` says how long all of it is. */
function range(sample) {
  return new Uint8Array([...box("moof", new Uint8Array(100)), ...box("mdat", sample, 500_000)]);
}

test("a key frame is a fragment of one picture, as long as it says", () => {
  const sample = Uint8Array.from({ length: 300 }, (_, n) => n);
  const made = onePicture(range(sample), 62, 1);
  const view = new DataView(made.buffer);
  const moof = view.getUint32(0);
  assert.equal(moof + 8 + sample.length, made.length);
  assert.deepEqual(made.subarray(moof + 8), sample);
  assert.equal(view.getUint32(moof), 8 + sample.length);
  const text = new TextDecoder("latin1").decode(made);
  for (const type of ["moof", "mfhd", "traf", "tfhd", "tfdt", "trun", "mdat"])
    assert.ok(text.includes(type), type);
  const tfdt = text.indexOf("tfdt") + 4;
  assert.equal(view.getBigUint64(tfdt + 4), BigInt(62 * 90_000));
  const trun = text.indexOf("trun") + 4;
  const fields = [4, 8, 12, 16, 20, 24].map((at) => view.getUint32(trun + at));
  assert.deepEqual(fields, [1, moof + 8, 90_000, sample.length, 0x02000000, 0]);
});

test("bytes that begin otherwise are no key frame", () => {
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array(7),
    new Uint8Array(200),
    box("moof", new Uint8Array(20)),
    box("moof", new Uint8Array(20), 0xffffffff),
    new Uint8Array([...box("free", new Uint8Array(20)), ...box("mdat", new Uint8Array(20))]),
  ])
    assert.equal(onePicture(bytes, 0, 1), null);
});
