// One search for motion at a time: the one before is cancelled, answers are told as they come.

import { apiBody } from "./api.js";

/** @typedef {{camera: string, from: number, to: number, strongest: number, cells: number,
 *   tier: "full" | "key", is_global: boolean}} Hit wall ms */
/** @typedef {[from: number, to: number]} Range wall ms */
/** @typedef {{kind: "covered", camera: string, ranges: Range[], masks: number[],
 *      complete_from: number | null}
 *   | {kind: "coarse", camera: string, ranges: Range[]}
 *   | {kind: "hits", hits: Hit[]}
 *   | {kind: "done", cameras: number, seconds_searched: number, elapsed_ms: number,
 *      is_limited: boolean}
 *   | {kind: "error", error: {code: string, what: string}}} Line */

/**
 * Lines of JSON as they arrive, however they are cut.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<any>}
 */
export async function* linesOf(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += decoder.decode(value, { stream: !done });
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line) yield JSON.parse(line);
    if (done) return;
  }
}

export class MotionSearch {
  /** @type {AbortController | null} */
  #asked = null;

  get isRunning() {
    return this.#asked !== null;
  }

  /** Nobody wants the rest. */
  cancel() {
    this.#asked?.abort();
    this.#asked = null;
  }

  /**
   * Asks, and tells each line but of a search that was cancelled. Throws ApiError.
   * @param {object} question as `POST /api/v1/motion/search` takes it
   * @param {(line: Line) => void} tell
   * @returns {Promise<boolean>} false: it was cancelled
   */
  async ask(question, tell) {
    this.cancel();
    const asked = new AbortController();
    this.#asked = asked;
    try {
      const { signal } = asked;
      const body = await apiBody("/api/v1/motion/search", question, { signal });
      for await (const line of linesOf(body)) {
        if (signal.aborted) return false;
        tell(line);
      }
      return true;
    } catch (error) {
      if (asked.signal.aborted) return false;
      throw error;
    } finally {
      if (this.#asked === asked) this.#asked = null;
    }
  }
}
