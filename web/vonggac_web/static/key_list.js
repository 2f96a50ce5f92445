// The list of key frames, and one of them as a file of its own. Pure.

/**
 * @typedef {object} Key a key frame as the list has it
 * @property {number} start s of the playlist
 * @property {number} length s until the next one
 * @property {string} uri relative to the list
 * @property {number} first byte
 * @property {number} last byte
 * @property {string} head what goes before it: its address
 */

const TIMESCALE = 90_000;
const MFHD_BYTES = 16;
const TFHD_BYTES = 16;
const TFDT_BYTES = 20;
const TRUN_BYTES = 36;
const BOX_BYTES = 8;
const TRAF_BYTES = BOX_BYTES + TFHD_BYTES + TFDT_BYTES + TRUN_BYTES;
const MOOF_BYTES = BOX_BYTES + MFHD_BYTES + TRAF_BYTES;
const SYNC_SAMPLE = 0x02000000;

/** What is looked for in a list; other tags are of no account here. */
const LINES =
  /#EXT-X-MAP:URI="([^"]+)"|#EXTINF:([\d.]+),|#EXT-X-BYTERANGE:(\d+)@(\d+)|^([^#\s].*)$/gm;

/**
 * The entries of a list of key frames (RFC 8216 4.3.3.6), in its order.
 * @param {string} text
 */
export function keysOf(text) {
  /** @type {Key[]} */
  const keys = [];
  let head = "";
  let start = 0;
  let length = 0;
  let first = 0;
  let last = -1;
  for (const [, map, seconds, size, at, uri] of text.matchAll(LINES)) {
    if (map) head = map;
    else if (seconds) length = Number(seconds);
    else if (size) {
      first = Number(at);
      last = first + Number(size) - 1;
    } else if (uri) {
      keys.push({ start, length, uri, first, last, head });
      start += length;
    }
  }
  return keys;
}

/**
 * The key frame that a moment is decoded from; the last one behind the end, null of no list.
 * @param {Key[]} keys
 * @param {number} media s
 * @returns {Key | null}
 */
export function keyAt(keys, media) {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {Key} */ (keys[middle]).start <= media) low = middle + 1;
    else high = middle;
  }
  return keys[Math.max(0, low - 1)] ?? null;
}

/** The codec in a list of lists, such as `avc1.64001f`; null: it tells none. @param {string} text */
export function codecOf(text) {
  return /CODECS="([^"]+)"/.exec(text)?.[1] ?? null;
}

/**
 * A key frame's bytes, `moof` and the beginning of `mdat`, as a fragment of this one picture.
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {number} at s: where it is shown
 * @param {number} length s
 * @returns {Uint8Array<ArrayBuffer> | null} null: it is no key frame
 */
export function onePicture(bytes, at, length) {
  const told = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = (/** @type {number} */ offset) =>
    offset + BOX_BYTES <= bytes.length ? told.getUint32(offset + 4) : 0;
  const mdat = bytes.length >= BOX_BYTES ? told.getUint32(0) : 0;
  if (kind(0) !== name("moof") || kind(mdat) !== name("mdat")) return null;
  const sample = bytes.subarray(mdat + BOX_BYTES);
  const made = new Uint8Array(MOOF_BYTES + BOX_BYTES + sample.length);
  const view = new DataView(made.buffer);
  let offset = 0;
  const put = (/** @type {(number | string)[]} */ ...values) => {
    for (const value of values) {
      view.setUint32(offset, typeof value === "string" ? name(value) : value);
      offset += 4;
    }
  };
  put(MOOF_BYTES, "moof", MFHD_BYTES, "mfhd", 0, 1, TRAF_BYTES, "traf");
  put(TFHD_BYTES, "tfhd", 0x020000, 1); // offsets count from `moof`
  put(TFDT_BYTES, "tfdt", 1 << 24, Math.floor((at * TIMESCALE) / 2 ** 32), at * TIMESCALE);
  put(TRUN_BYTES, "trun", (1 << 24) | 0xf01, 1, MOOF_BYTES + BOX_BYTES);
  put(length * TIMESCALE, sample.length, SYNC_SAMPLE, 0);
  put(BOX_BYTES + sample.length, "mdat");
  made.set(sample, offset);
  return made;
}

/** A box's type as a number. @param {string} type four characters */
function name(type) {
  return [...type].reduce((value, letter) => value * 256 + letter.charCodeAt(0), 0);
}
