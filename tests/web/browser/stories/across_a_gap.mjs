// Recordings play on across a gap: pictures before it, the gap's reason on the line, pictures after.

import { STORED, momentOf, startStored } from "../camera_page.mjs";

export default async function acrossAGap(scene, { camera, before, after, code, text }) {
  const { page } = scene;
  await page.setViewport({ width: 1366, height: 768 });
  await startStored(scene, camera, before, code, text);
  const start = await scene.presented(STORED, 10);
  const from = await momentOf(scene);
  const gap = await page.evaluate(
    (wall) => {
      const line = document.querySelector("vg-timeline");
      line.tell(line.ranges, line.gaps);
      return line.describe(wall);
    },
    (before + after) / 2,
  );
  await scene.until(
    "a picture behind the gap",
    (wall) => document.querySelector("vg-player").moment > wall,
    after,
  );
  const end = await scene.presented(STORED, 10);
  return { start, from, gap, end, to: await momentOf(scene) };
}
