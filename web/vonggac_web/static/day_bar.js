// The last day of a camera as rectangles. What it computes is pure; `drawDayBar` puts it in an SVG.

/**
 * @typedef {[number, number]} Range ms since 1970, half open
 * @typedef {[number, number, string]} Gap with its reason in the recorder's words
 * @typedef {{from: number, to: number, ranges: Range[], gaps: Gap[]}} Day
 * @typedef {{kind: "recorded" | "gap", x: number, width: number, gap: Gap | null}} Piece
 */

export const PIXELS = 288;
const SVG = "http://www.w3.org/2000/svg";

/**
 * Rectangles from left to right, gaps over what is recorded; none is narrower than a pixel.
 * @param {Day} day
 * @param {number} [pixels]
 * @returns {Piece[]}
 */
export function pieces(day, pixels = PIXELS) {
  const pixel = (day.to - day.from) / pixels;
  /** @type {(kind: "recorded" | "gap", from: number, to: number, gap: Gap | null) => Piece} */
  const piece = (kind, from, to, gap) => ({
    kind,
    x: (from - day.from) / pixel,
    width: Math.max(1, (to - from) / pixel),
    gap,
  });
  return [
    ...day.ranges.map(([from, to]) => piece("recorded", from, to, null)),
    ...day.gaps.map((gap) => piece("gap", gap[0], gap[1], gap)),
  ];
}

/** How much of a day is recorded, in ms. @param {Day} day */
export function recordedMs(day) {
  return day.ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

/**
 * @param {SVGSVGElement} svg emptied first
 * @param {Day} day
 * @param {(gap: Gap) => string} words what a gap is called
 */
export function drawDayBar(svg, day, words) {
  svg.setAttribute("viewBox", `0 0 ${PIXELS} 12`);
  svg.replaceChildren(
    ...pieces(day).map((piece) => {
      const rect = document.createElementNS(SVG, "rect");
      rect.setAttribute("class", piece.kind);
      rect.setAttribute("x", piece.x.toFixed(2));
      rect.setAttribute("y", "0");
      rect.setAttribute("width", piece.width.toFixed(2));
      rect.setAttribute("height", "12");
      if (piece.gap !== null) {
        const title = document.createElementNS(SVG, "title");
        title.textContent = words(piece.gap);
        rect.append(title);
      }
      return rect;
    }),
  );
}
