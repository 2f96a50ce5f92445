// A mask is kept for a camera, left out of searches, looked behind for once, and taken away. Then the
// region that was drawn here is sought in another camera's picture, and one of its own.

import { startStored } from "../camera_page.mjs";

const HITS = "#motion-hits li";

/** Searches until something was found, or, if that is wanted, nothing: what is new is indexed later. */
async function search(scene, isFound) {
  await scene.page.$eval("#motion-said", (said) => (said.textContent = ""));
  await scene.until(
    isFound ? "motion is found" : "nothing is found",
    (hits, wanted) => {
      const isOver = /\d/.test(document.querySelector("#motion-said").textContent);
      if (isOver && document.querySelectorAll(hits).length > 0 === wanted) return true;
      if (Date.now() - (globalThis.lastAsked ?? 0) < 2000) return false;
      globalThis.lastAsked = Date.now();
      document.querySelector("#motion-form button.main").click();
      return false;
    },
    HITS,
    isFound,
  );
  return scene.page.$eval("#motion-said", (said) => said.textContent);
}

/** Until the list has so many masks. */
function untilListed(scene, count) {
  return scene.until(
    `${count} masks`,
    (wanted) => document.querySelectorAll("#masks-list li").length === wanted,
    count,
  );
}

export default async function masks(scene, { camera, code, text, name, width = 390, shots }) {
  const { page } = scene;
  await page.setViewport({ width, height: 844 });
  await startStored(scene, camera, null, code, text);
  await search(scene, true);
  await page.click("#motion-how summary");
  await page.type("#motion-corners", "0,0 100,96");
  await page.click("#motion-masks summary");
  // Its name is asked for.
  await page.click("#mask-keep");
  await scene.until("what is wrong", () => document.querySelector("#mask-wrong").textContent);
  const wrong = await page.$eval("#mask-wrong", (said) => said.textContent);
  await page.type("#mask-name", name);
  await page.keyboard.press("Enter");
  await untilListed(scene, 1);
  const listed = await page.$eval("#masks-list", (list) => list.textContent);
  const drawn = await page.evaluate(() => ({
    kept: document.querySelectorAll("vg-region .kept:not(.seen)").length,
    isSeen: !document.querySelector("vg-region").hidden,
    points: document.querySelector("vg-region").points.length,
  }));
  const without = await search(scene, false);
  if (shots) await page.screenshot({ path: shots, fullPage: true });
  await page.click("#masks-behind");
  const behind = await search(scene, true);
  const seen = await page.$$eval("vg-region .kept.seen", (shapes) => shapes.length);
  await page.click("#masks-behind");
  await page.click("#masks-list button");
  await untilListed(scene, 0);
  const after = await search(scene, true);
  await page.type("#motion-corners", "0,0 100,96");
  await page.click("#motion-others summary");
  await page.waitForSelector("#motion-cameras input");
  await page.click("#motion-cameras input");
  await page.click("#motion-cameras .own button");
  const same = await search(scene, true);
  const own = await page.$("#motion-cameras .own input");
  await own.click({ count: 3 });
  await page.keyboard.type("7 7 7");
  await page.click("#motion-form button.main");
  const typed = await own.evaluate((input) => input.getAttribute("aria-invalid"));
  await own.click({ count: 3 });
  await page.keyboard.press("Backspace");
  const whole = await search(scene, true);
  return { wrong, listed, drawn, without, behind, seen, after, same, typed, whole };
}
