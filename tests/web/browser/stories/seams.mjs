// Footage with seams: the page's own player goes over the end of a segment and of a run, and into
// the middle of a GOP that has its key frame a minute earlier.

export default async function seams(scene, { cookie, base, from, to, watch, seek }) {
  const { hostname } = new URL(scene.origin);
  await scene.browser.setCookie({ ...cookie, domain: hostname, path: "/", sameSite: "Lax" });
  scene.expected.push("favicon.ico"); // a document of JSON names no icon
  await scene.go("/api/v1/openapi.json");
  return scene.page.evaluate(look, { base, from, to, watch, seek });
}

/** Runs in the page. `watch`, `seek`: seconds of the player's time. */
async function look({ base, from, to, watch, seek }) {
  const { StoredWindow } = await import("/static/stored.js");
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const stored = new StoredWindow(video, base, { from, to });
  const failed = [];
  stored.addEventListener("failed", (event) => failed.push(event.detail));
  await stored.open(from);
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const presented = () =>
    new Promise((resolve) => {
      video.requestVideoFrameCallback((now, frame) => resolve(frame.mediaTime));
    });

  /** Pictures around a place, one after another. */
  const times = [];
  for (const place of watch) {
    const shown = presented();
    video.currentTime = place - 0.6;
    await shown;
    await video.play();
    const seen = [];
    const until = performance.now() + 20_000;
    while (performance.now() < until && (seen.at(-1) ?? 0) < place + 0.6)
      seen.push(await Promise.race([presented(), wait(5_000).then(() => NaN)]));
    video.pause();
    times.push(seen);
  }

  const places = [];
  for (const place of seek) {
    const shown = Promise.race([presented(), wait(15_000).then(() => NaN)]);
    video.currentTime = place;
    let at = await shown;
    for (let n = 0; n < 3 && Math.abs(at - place) > 0.1; n++)
      at = await Promise.race([presented(), wait(5_000).then(() => NaN)]);
    places.push(at);
  }
  const buffered = [];
  for (let n = 0; n < video.buffered.length; n++)
    buffered.push([video.buffered.start(n), video.buffered.end(n)]);
  stored.close();
  return { times, places, buffered, failed };
}
