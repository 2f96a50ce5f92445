// Where the signs of marks stand below the day's line, without a page: what lies too near to be
// pressed apart is one sign; and which of them a list has room for.

import { toX } from "./timeline_view.js";

/** @typedef {{camera: string, from: number, to: number, kind: string,
 *   box: [number, number, number, number], score: number, hook: number, name: string}} Mark wall ms */

/** How wide a sign is, and what a finger takes. */
export const SIGN_PX = 24;

/**
 * Signs of what is in view, from the left; the middle of a sign stands at its first mark, as far as
 * there is room. `x` is its left edge.
 * @param {import("./timeline_view.js").View} view @param {number} width px @param {Mark[]} marks
 * @returns {{x: number, marks: Mark[]}[]}
 */
export function signs(view, width, marks) {
  const shown = marks.filter(({ from, to }) => to > view.from && from < view.to);
  shown.sort((a, b) => a.from - b.from);
  /** @type {{x: number, marks: Mark[]}[]} */
  const found = [];
  for (const mark of shown) {
    const left = toX(view, width, mark.from) - SIGN_PX / 2;
    const x = Math.min(Math.max(0, left), Math.max(0, width - SIGN_PX));
    const last = found.at(-1);
    if (last && x - last.x < SIGN_PX) last.marks.push(mark);
    else found.push({ x, marks: [mark] });
  }
  return found;
}

/**
 * How many of each kind and program, the most first.
 * @param {Mark[]} marks
 * @returns {{kind: string, hook: number, name: string, count: number}[]}
 */
export function counted(marks) {
  /** @type {Map<string, {kind: string, hook: number, name: string, count: number}>} */
  const found = new Map();
  for (const { kind, hook, name } of marks) {
    const key = `${kind} ${hook}`;
    const one = found.get(key) ?? { kind, hook, name, count: 0 };
    one.count += 1;
    found.set(key, one);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

/**
 * Those that are listed, in their order: of each program as many as of any other that has them, so
 * that no one's rows leave another's out.
 * @param {Mark[]} marks @param {number} most
 */
export function listed(marks, most) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  const turns = marks.map((mark) => {
    const turn = counts.get(mark.hook) ?? 0;
    counts.set(mark.hook, turn + 1);
    return { mark, turn };
  });
  turns.sort((a, b) => a.turn - b.turn);
  const kept = new Set(turns.slice(0, most).map(({ mark }) => mark));
  return marks.filter((mark) => kept.has(mark));
}
