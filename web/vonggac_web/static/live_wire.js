// What comes over the page's socket as bytes, and where it stands in media time. Pure.

/** Bytes before the MP4: type, tile, flags, number, wall clock in µs. */
export const HEAD_BYTES = 16;
const INIT = 1;
const MEDIA = 2;
const DAMAGED = 1;
const SKIPPED = 2;
const SYNC = 4;
/** Ticks a second of every video track of the box. */
const TIMESCALE = 90_000;

/**
 * @typedef {object} Message
 * @property {"init" | "media"} kind
 * @property {number} tile
 * @property {boolean} isDamaged something of it was lost on the way
 * @property {boolean} isSkipped what came before it was left out
 * @property {boolean} isSync decoding can begin here
 * @property {number} number of media messages of a view, from 1
 * @property {number} wall ms since 1970 UTC, of the box
 * @property {Uint8Array<ArrayBuffer>} data
 */

/**
 * A binary message; null for one that this page does not know.
 * @param {ArrayBuffer} raw
 * @returns {Message | null}
 */
export function parseMessage(raw) {
  if (raw.byteLength < HEAD_BYTES) return null;
  const view = new DataView(raw);
  const type = view.getUint8(0);
  if (type !== INIT && type !== MEDIA) return null;
  const flags = view.getUint16(2);
  return {
    kind: type === INIT ? "init" : "media",
    tile: view.getUint8(1),
    isDamaged: (flags & DAMAGED) !== 0,
    isSkipped: (flags & SKIPPED) !== 0,
    isSync: (flags & SYNC) !== 0,
    number: view.getUint32(4),
    wall: Number(view.getBigInt64(8)) / 1000,
    data: new Uint8Array(raw, HEAD_BYTES),
  };
}

/**
 * When a fragment of ours is shown, in seconds of media time: one `moof` with one `traf`, whose
 * samples tell duration, size, flags and composition offset (vonggac.playback.fmp4).
 * @param {Uint8Array} data
 * @returns {{start: number, end: number, last: number} | null} last: how long the last one lasts
 */
export function shownTime(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const moof = box(view, 0, view.byteLength, "moof");
  const traf = moof && box(view, moof.start, moof.end, "traf");
  const tfdt = traf && box(view, traf.start, traf.end, "tfdt");
  const trun = traf && box(view, traf.start, traf.end, "trun");
  if (!tfdt || !trun || tfdt.end - tfdt.start < 12 || trun.end - trun.start < 12) return null;
  let decode = Number(view.getBigUint64(tfdt.start + 4));
  const count = view.getUint32(trun.start + 4);
  if (count === 0 || trun.start + 12 + 16 * count > trun.end) return null;
  let start = Infinity;
  let end = 0;
  let last = 0;
  for (let at = trun.start + 12; at < trun.start + 12 + 16 * count; at += 16) {
    const duration = view.getUint32(at);
    const shown = decode + view.getInt32(at + 12);
    start = Math.min(start, shown);
    end = Math.max(end, shown + duration);
    decode += duration;
    last = duration;
  }
  return { start: start / TIMESCALE, end: end / TIMESCALE, last: last / TIMESCALE };
}

/**
 * The content of the first box of a type between two offsets.
 * @param {DataView} view @param {number} from @param {number} to @param {string} type
 */
function box(view, from, to, type) {
  for (let at = from; at + 8 <= to;) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > to) return null;
    const name = String.fromCharCode(...[4, 5, 6, 7].map((n) => view.getUint8(at + n)));
    if (name === type) return { start: at + 8, end: at + size };
    at += size;
  }
  return null;
}

/**
 * A text of the server as an object; null for what is none.
 * @param {string} text
 * @returns {Record<string, any> | null}
 */
export function parseText(text) {
  try {
    const told = JSON.parse(text);
    return told !== null && typeof told === "object" && !Array.isArray(told) ? told : null;
  } catch {
    return null;
  }
}
