// How old a live picture is when it is expected on the screen: the recorder's time of receipt, which
// each unit carries, against the time that the browser gives for the picture.

import { startLive } from "../../tests/web/browser/camera_page.mjs";
import { install } from "./hooks.mjs";

export default async function liveLatency(scene, { camera, seconds }) {
  const { page } = scene;
  await page.evaluateOnNewDocument(install);
  await page.setViewport({ width: 1366, height: 768 });
  const began = Date.now();
  const video = await startLive(scene, camera);
  const firstMs = Date.now() - began;
  await page.evaluate((wanted) => globalThis.vgWatch(document.querySelector(wanted)), video);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return page.evaluate((first) => {
    const { received, shown, buffer } = globalThis.vgNote;
    const offset = buffer?.timestampOffset ?? 0;
    const found = { expected: [], called: [], unmatched: 0, firstMs: first };
    for (const [media, expected, called] of shown) {
      const wall = received.get(Math.round((media - offset) * 90_000));
      if (wall === undefined) found.unmatched++;
      else {
        found.expected.push(expected - wall / 1000);
        found.called.push(called - wall / 1000);
      }
    }
    return found;
  }, firstMs);
}
