// Both pictures of a camera's trouble are opened beside each other, and closed; one that is gone says
// so, and one that is put away too soon is never shown.

import { sayPurpose } from "../camera_page.mjs";

/** Presses the button of the n-th alarm, and says why. */
async function open(scene, n, text) {
  const buttons = await scene.page.$$(".trouble [data-show]");
  await buttons[n].click();
  await sayPurpose(scene, "hình sự", text);
}

/** What stands in the places of the n-th alarm, once there is nothing more to come. */
async function placesOf(scene, n, opening) {
  await scene.until(
    "both places are told",
    (at, words) => {
      const places = document.querySelectorAll(".trouble")[at].querySelectorAll(".place");
      return [...places].every((place) => {
        const video = place.querySelector("video");
        return video ? video.readyState >= 2 : place.textContent !== words && !place.hidden;
      });
    },
    n,
    opening,
  );
  return scene.page.evaluate((at) => {
    const places = document.querySelectorAll(".trouble")[at].querySelectorAll(".place");
    return [...places].map((place) => {
      const { x, y, width } = place.getBoundingClientRect();
      const video = place.querySelector("video");
      const size = video && [video.videoWidth, video.videoHeight];
      return { x, y, width, size, label: video?.getAttribute("aria-label"), text: place.innerText };
    });
  }, n);
}

/** Opens the n-th alarm and puts it away while its looks are being opened. */
async function changeMind(scene, n) {
  // Its socket is closed before it is open, too.
  scene.expected.push("/api/v1/socket");
  await scene.page.evaluate((at) => {
    const root = document.querySelectorAll(".trouble")[at];
    const hide = (_, observer) => {
      observer.disconnect();
      root.querySelector("[data-show]").click();
    };
    new MutationObserver(hide).observe(root.querySelector(".place"), { childList: true });
  }, n);
  await open(scene, n, "");
}

export default async function trouble(scene, { cookie, opening, shots }) {
  const { page } = scene;
  const { hostname } = new URL(scene.origin);
  await scene.browser.setCookie({ ...cookie, domain: hostname, path: "/", sameSite: "Lax" });
  // What is gone is answered so.
  scene.expected.push("/still.mp4", "404");
  await page.setViewport({ width: 1280, height: 900 });
  await scene.go("/alarms");
  await page.waitForSelector(".trouble [data-show]:not([hidden])");
  await open(scene, 0, "vụ 17");
  const both = await placesOf(scene, 0, opening);
  if (shots) await page.screenshot({ path: `${shots}-1280.png`, fullPage: true });
  await open(scene, 1, ""); // what was said before stands there
  const gone = await placesOf(scene, 1, opening);
  await page.setViewport({ width: 390, height: 844 });
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (shots) await page.screenshot({ path: `${shots}-390.png`, fullPage: true });
  await page.evaluate(() => {
    for (const button of document.querySelectorAll(".trouble [data-show]")) button.click();
  });
  await page.setViewport({ width: 1280, height: 900 });
  await changeMind(scene, 0);
  const left = await page.$$eval(".trouble video", (videos) => videos.length);
  return { both, gone, overflow, left };
}
