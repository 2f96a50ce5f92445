// Live pictures go on: after bytes that no decoder can read, and after the socket was lost.

import { LIVE, startLive } from "../camera_page.mjs";

const FRAMES = 20;

export default async function liveMends(scene, { camera }) {
  const { page } = scene;
  await page.evaluateOnNewDocument(() => {
    window.sockets = [];
    window.WebSocket = class extends WebSocket {
      constructor(...given) {
        super(...given);
        window.sockets.push(this);
      }
    };
  });
  await startLive(scene, camera);
  const before = await scene.presented(LIVE, FRAMES);

  scene.expected.push("the decoder gave up");
  await page.evaluate((isFirefox) => {
    const raw = new ArrayBuffer(216);
    const view = new DataView(raw);
    view.setUint8(0, 2);
    view.setUint8(1, 1);
    view.setUint16(2, 4);
    view.setUint32(16, 200);
    new Uint8Array(raw).set(new TextEncoder().encode("moof"), 20);
    window.source = document.querySelector("vg-player video.live").src;
    window.sockets.at(-1).dispatchEvent(new MessageEvent("message", { data: raw }));
    // Firefox reads over them and plays on.
    if (isFirefox) document.querySelector("vg-player video.live").dispatchEvent(new Event("error"));
  }, scene.name === "firefox");
  await scene.until(
    "another source",
    (wanted) => {
      const video = document.querySelector(wanted);
      return video.src && video.src !== window.source && video.readyState >= 2;
    },
    LIVE,
  );
  const mended = await scene.presented(LIVE, FRAMES);
  const socketsThen = await page.evaluate(() => window.sockets.length);

  await page.evaluate(() => {
    window.source = document.querySelector("vg-player video.live").src;
    window.sockets.at(-1).close();
  });
  await scene.until("another socket", () => window.sockets.length > 1);
  await scene.until(
    "another view",
    (wanted) => {
      const video = document.querySelector(wanted);
      return video.src && video.src !== window.source && video.readyState >= 2;
    },
    LIVE,
  );
  const again = await scene.presented(LIVE, FRAMES);
  await scene.until("the state is playing", () => {
    return document.querySelector("vg-player").dataset.state === "playing";
  });
  return { before, mended, socketsThen, again };
}
