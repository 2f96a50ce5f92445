// Looking through: every picture under the pointer is a key frame of that moment, shown at once.

import { KEYS, startStored } from "../camera_page.mjs";

export default async function scrub(scene, { camera, from, to, code, text, steps = 8 }) {
  const { page } = scene;
  await page.setViewport({ width: 1366, height: 768 });
  await startStored(scene, camera, from, code, text);
  await page.evaluate(
    (first, last) => document.querySelector("vg-timeline").show({ from: first, to: last }),
    from - 30_000,
    to + 30_000,
  );
  const seen = await page.evaluateHandle((wanted) => {
    const video = document.querySelector(wanted);
    const times = [];
    const one = (now, frame) => {
      times.push(frame.mediaTime);
      video.requestVideoFrameCallback(one);
    };
    video.requestVideoFrameCallback(one);
    return times;
  }, KEYS);
  const box = await page.$eval("vg-timeline", (line) => {
    const { x, y, width, height } = line.getBoundingClientRect();
    return { x, y, width, height };
  });
  const place = (share) => box.x + box.width * (0.25 + 0.5 * share);
  const y = box.y + box.height * 0.7;
  await page.mouse.move(place(0), y);
  await page.mouse.down();
  let shown = 0;
  for (let n = 1; n <= steps; n++) {
    const before = await page.evaluate((times) => times.length, seen);
    await page.mouse.move(place(n / steps), y, { steps: 2 });
    await scene
      .until(`a key frame at ${n}`, (times, had) => times.length > had, seen, before)
      .then(() => shown++);
  }
  const onTop = await page.$eval(KEYS, (video) => video.classList.contains("shown"));
  const size = await page.$eval(KEYS, (video) => [video.videoWidth, video.videoHeight]);
  await page.mouse.up();
  await scene.until(
    "the picture where it was let go",
    () => document.querySelector("vg-player").dataset.state === "playing",
  );
  const moments = await page.evaluate((times) => times, seen);
  return { shown, onTop, size, different: new Set(moments).size };
}
