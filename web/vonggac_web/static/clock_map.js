// The map between wall time and the player's time. A playlist leaves gaps out: its seconds run on
// where the wall clock jumps, so a moment of one is found in the other only piece by piece.
//
// hls.js has a clock of its own (`playingDate`); just after a seek across a gap it is wrong by the
// gap. This one comes from the rows that made the playlist.

/**
 * @typedef {object} Piece recorded without a break
 * @property {number} wall when it begins, ms since 1970 UTC
 * @property {number} wallLength ms; a camera's clock runs a little faster or slower than the box's
 * @property {number} media where it begins in the playlist, s
 * @property {number} length s
 */

/** Two fragments belong together when they miss each other by less; a playlist tells from 40 on. */
const SEAM_MS = 60;

export class ClockMap {
  /** @type {Piece[]} the same by wall time, which a clock that was set back may have confused */
  #byWall;

  /** @param {Piece[]} pieces in the order of playing, none empty */
  constructor(pieces) {
    this.pieces = pieces;
    this.#byWall = [...pieces].sort((a, b) => a.wall - b.wall);
  }

  /**
   * @param {{start: number, duration: number, programDateTime: number | null}[]} fragments as a
   *   playlist lists them: seconds, and wall ms
   */
  static ofFragments(fragments) {
    return new ClockMap([]).grownBy(fragments);
  }

  /**
   * The same with what a growing playlist lists behind it; what is known already is left alone.
   * @param {{start: number, duration: number, programDateTime: number | null}[]} fragments
   */
  grownBy(fragments) {
    const pieces = this.pieces.map((piece) => ({ ...piece }));
    for (const { start, duration, programDateTime: wall } of fragments) {
      const last = pieces.at(-1);
      const end = last ? last.media + last.length : -Infinity;
      if (wall === null || !(duration > 0) || start + duration / 2 < end) continue;
      const even = last && last.wall + (start - last.media) * 1000;
      const isOne = last && Math.abs(wall - endOf(last)) < SEAM_MS;
      if (last && isOne && even !== undefined && Math.abs(wall - even) < SEAM_MS) {
        last.wallLength = wall + duration * 1000 - last.wall;
        last.length = start + duration - last.media;
      } else pieces.push({ wall, wallLength: duration * 1000, media: start, length: duration });
    }
    return new ClockMap(pieces);
  }

  get isEmpty() {
    return this.pieces.length === 0;
  }

  /** Wall ms of the first picture. */
  get from() {
    return this.#byWall[0]?.wall ?? NaN;
  }

  /** Wall ms at which the last picture ends. */
  get to() {
    const last = this.#byWall.at(-1);
    return last ? endOf(last) : NaN;
  }

  /** Seconds at which the last picture ends. */
  get mediaEnd() {
    const last = this.pieces.at(-1);
    return last ? last.media + last.length : NaN;
  }

  /**
   * The wall time of a place in the playlist; before and after it, of its ends.
   * @param {number} media s
   */
  wallAt(media) {
    const piece =
      this.pieces[
        Math.max(
          0,
          lastOf(this.pieces, (p) => p.media <= media),
        )
      ];
    if (!piece) return NaN;
    const share = Math.min(Math.max((media - piece.media) / piece.length, 0), 1);
    return piece.wall + share * piece.wallLength;
  }

  /**
   * The place of a wall time. In a gap, and before the first picture: the next picture, and the gap;
   * past the last one: the end, and the gap that is open there.
   * @param {number} wall ms
   * @returns {{media: number, wall: number, gap: {from: number, to: number} | null} | null}
   */
  mediaAt(wall) {
    if (this.isEmpty) return null;
    const index = lastOf(this.#byWall, (p) => p.wall <= wall);
    const piece = this.#byWall[index];
    const next = this.#byWall[index + 1];
    const end = piece ? endOf(piece) : -Infinity;
    if (piece && wall < end) {
      const share = (wall - piece.wall) / piece.wallLength;
      return { media: piece.media + share * piece.length, wall, gap: null };
    }
    if (next) return { media: next.media, wall: next.wall, gap: { from: end, to: next.wall } };
    return { media: piece.media + piece.length, wall: end, gap: { from: end, to: Infinity } };
  }
}

/** @param {Piece} piece */
function endOf(piece) {
  return piece.wall + piece.wallLength;
}

/**
 * Index of the last piece for which `holds`, -1 if none.
 * @param {Piece[]} pieces
 * @param {(piece: Piece) => boolean} holds true for the first ones, false from somewhere on
 */
function lastOf(pieces, holds) {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(pieces[middle])) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * The part of a look that is loaded around a moment: whole pieces of `length`, so that going a
 * little back and forth asks for the same playlist again; a quarter ahead is always inside.
 * @param {{from: number, to: number}} look ms
 * @param {number} wall ms, inside the look
 * @param {number} length ms
 */
export function windowAround(look, wall, length) {
  const step = length / 4;
  const at = Math.min(Math.max(wall, look.from), look.to - 1);
  const begin = Math.floor(at / step) * step - step;
  const from = Math.max(look.from, Math.min(begin, look.to - length));
  return { from, to: Math.min(look.to, from + length) };
}
