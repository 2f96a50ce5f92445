// What a bench notes inside the page, before any script of the page runs: nothing of it changes
// what the page does.

/** Runs in the page. */
export function install() {
  const note = (globalThis.vgNote = {
    received: new Map(), // decode time of a live unit in ticks -> its wall_us
    shown: [], // [media time s, wall ms at which it is expected on the screen]
    offset: 0,
    requests: [],
  });
  const tfdt = (view, from) => {
    // moof > traf > tfdt, version 1; found by its name, as the message is ours.
    for (let at = from; at + 20 <= view.byteLength && at < from + 400; at++)
      if (view.getUint32(at) === 0x74666474)
        return view.getUint8(at + 4) === 1
          ? Number(view.getBigUint64(at + 8))
          : view.getUint32(at + 8);
    return undefined;
  };
  const Native = globalThis.WebSocket;
  globalThis.WebSocket = class extends Native {
    constructor(...all) {
      super(...all);
      this.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return;
        const view = new DataView(data);
        if (view.getUint8(0) !== 2) return;
        const ticks = tfdt(view, 16);
        if (ticks !== undefined) note.received.set(ticks, Number(view.getBigInt64(8)));
      });
    }
  };
  const add = MediaSource.prototype.addSourceBuffer;
  MediaSource.prototype.addSourceBuffer = function (...all) {
    note.buffer = add.apply(this, all);
    return note.buffer;
  };
  /** Notes every picture that `video` presents from now on. */
  globalThis.vgWatch = (video) => {
    const one = (now, frame) => {
      const skew = Date.now() - performance.timeOrigin - performance.now();
      const at = performance.timeOrigin + skew;
      note.shown.push([frame.mediaTime, at + frame.expectedDisplayTime, at + now]);
      video.requestVideoFrameCallback(one);
    };
    video.requestVideoFrameCallback(one);
  };
}
