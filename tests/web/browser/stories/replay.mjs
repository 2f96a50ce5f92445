// Recordings of a camera from a moment on, at a day's view.

import { STORED, openCamera, sayPurpose } from "../camera_page.mjs";

export default async function replay(scene, { camera, at, code, text }) {
  const { page } = scene;
  await page.setViewport({ width: 1366, height: 768 });
  await openCamera(scene, `${camera}?at=${at}`);
  await sayPurpose(scene, code, text);
  await scene.until(
    "a recorded picture",
    (w) => document.querySelector(w)?.readyState >= 2,
    STORED,
  );
  return scene.presented(STORED, 10);
}
