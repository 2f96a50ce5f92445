// Single steps: how long a picture of a stream is shown, learnt while it plays, and where the next
// one begins.

const USUAL_S = 1 / 25;
const SHORTEST_S = 0.005;
const LONGEST_S = 1;

export class FrameStep {
  #lengthS = USUAL_S;
  /** Where the picture that is shown begins, s; NaN: not known. */
  #at = NaN;
  /** @type {number[]} */
  #lengths = [];

  /** Somebody goes elsewhere. */
  forget() {
    this.#at = NaN;
  }

  /**
   * A picture was presented.
   * @param {number} at where it begins, s @param {number} sought the element's own place, s
   * @param {boolean} isPlaying at an ordinary pace
   */
  saw(at, sought, isPlaying) {
    const length = at - this.#at;
    if (isPlaying && length > SHORTEST_S && length < LONGEST_S) {
      // Some are dropped on the way, so the middle of a few.
      this.#lengths = [...this.#lengths.slice(-8), length];
      this.#lengthS = [...this.#lengths].sort((a, b) => a - b)[this.#lengths.length >> 1];
    }
    // Firefox, standing still, names the place that was sought, not the picture's own.
    if (isPlaying || Math.abs(at - sought) >= 1e-3) this.#at = at;
  }

  /**
   * Where to seek for the picture before or after.
   * @param {1 | -1} way @param {number} current s
   */
  target(way, current) {
    const shown = Number.isFinite(this.#at) ? this.#at : current;
    this.#at = Math.max(0, shown + way * this.#lengthS);
    // Its middle: its very beginning may round to the one before.
    return Math.max(0, shown + (way + 0.5) * this.#lengthS);
  }
}
