// Times inside the page, with the page's own modules: first picture, seeks, and how long a long
// window takes to open. `looks` are opened by the bench; the page only plays.

export default async function playback(scene, options) {
  await scene.go("/cameras");
  return scene.page.evaluate(measure, options);
}

/** Runs in the page. */
async function measure({ base, from, to, seeks, scrubs, opens }) {
  const { StoredWindow, COMMON, addressOf, mapOf } = await import("/static/stored.js");
  const { default: Hls, Events } = await import("/static/vendor/hls.js-1.7.4/hls.min.mjs");
  const presented = (video) =>
    new Promise((resolve) => {
      video.requestVideoFrameCallback((now, frame) =>
        resolve([performance.now(), frame.mediaTime]),
      );
    });
  const video = () => {
    const element = document.createElement("video");
    element.muted = true;
    element.width = 640;
    document.body.append(element);
    return element;
  };
  const place = (wall) => from + ((to - from) * wall) / 1000;
  const told = { opened: [], first: [], seeks: [], scrubs: [], elsewhere: 0, lost: 0 };
  let random = 12345;
  /** Somewhere in the window, the same places in every run. */
  const somewhere = () => {
    random = (random * 1103515245 + 12345) % 2147483648;
    return place((random / 2147483648) * 990);
  };

  /** Both lists of a window read and parsed, and the map of its times, as the player reads them. */
  const open = async () => {
    const hls = new Hls(COMMON);
    const element = video();
    const read = new Promise((resolve) => hls.once(Events.LEVEL_LOADED, resolve));
    hls.loadSource(addressOf(base, "index.m3u8", { from, to }));
    hls.attachMedia(element);
    hls.once(Events.MANIFEST_PARSED, () => hls.startLoad(0));
    const map = fetch(addressOf(base, "map.json", { from, to })).then((answer) => answer.json());
    const [, told] = await Promise.all([read, map]);
    mapOf(told);
    hls.destroy();
    element.remove();
  };

  for (let n = 0; n < opens; n++) {
    const asked = performance.now();
    await open();
    told.opened.push(performance.now() - asked);
    const element = video();
    const stored = new StoredWindow(element, base, { from, to });
    const began = performance.now();
    const at = await stored.open(place(100 + 700 * (n / opens)));
    const shown = presented(element);
    element.currentTime = at.media;
    told.first.push((await shown)[0] - began);
    stored.close();
  }

  if (seeks) {
    const element = video();
    const stored = new StoredWindow(element, base, { from, to });
    const first = presented(element);
    element.currentTime = (await stored.open(place(500))).media;
    await first;
    for (let n = 0; n < seeks; n++) {
      const target = stored.map.mediaAt(somewhere()).media;
      const began = performance.now();
      element.currentTime = target;
      // A picture of before may still be on its way to the screen.
      let seen = null;
      do {
        const late = new Promise((done) => setTimeout(() => done(null), 2000));
        seen = await Promise.race([presented(element), late]);
      } while (seen && Math.abs(seen[1] - target) > 0.1);
      if (seen) told.seeks.push(seen[0] - began);
      else told.elsewhere++;
    }
    stored.close();
  }

  if (scrubs) {
    const { KeyFrames } = await import("/static/scrub.js");
    const element = video();
    const keys = new KeyFrames(element, base, { from, to });
    await keys.show(place(500));
    for (let n = 0; n < scrubs; n++) {
      const target = somewhere();
      const began = performance.now();
      const shown = presented(element);
      await keys.show(target);
      // The page's own word may be a guess; the picture that was presented is none.
      const seen = await Promise.race([shown, new Promise((done) => setTimeout(done, 500))]);
      if (seen) told.scrubs.push(seen[0] - began);
      else told.lost++;
    }
    keys.close();
  }
  return told;
}
