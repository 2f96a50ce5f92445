// Live: no picture before a purpose was said; then pictures that the browser really presents.

import { LIVE, openCamera, sayPurpose, startLive, stateOf } from "../camera_page.mjs";

export default async function live(scene, { camera, code, text, frames = 40, refuse = false }) {
  const { page } = scene;
  const told = {};
  await page.setViewport({ width: 1366, height: 768 });
  if (refuse) {
    // Thought better of it: nothing is shown.
    await openCamera(scene, camera);
    await page.click("#mode-live");
    await page.waitForSelector("#purpose[open]");
    await page.click("#purpose button.main");
    told.wrong = await page.$eval("[data-wrong=code]", (element) => !element.hidden);
    await page.click("#purpose [data-cancel]");
    await page.waitForSelector("#purpose:not([open])");
    told.withoutPurpose = await page.evaluate(
      () => [...document.querySelectorAll("video")].filter((video) => video.readyState > 0).length,
    );
    told.stateWithout = await stateOf(scene);
    await page.click("#mode-live");
    await sayPurpose(scene, code, text);
    await scene.until("a live picture", (w) => document.querySelector(w)?.readyState >= 2, LIVE);
  } else await startLive(scene, camera, code, text);
  const began = Date.now();
  const presented = await scene.presented(LIVE, frames);
  await scene.until("the state is playing", () => {
    return document.querySelector("vg-player").dataset.state === "playing";
  });
  return { ...told, ...presented, seconds: (Date.now() - began) / 1000 };
}
