// From the list to a moment of the recordings without a pointer.

import { STORED, momentOf } from "../camera_page.mjs";

export default async function keyboard(scene, { camera, text }) {
  const { page } = scene;
  await page.setViewport({ width: 1366, height: 768 });
  await scene.go("/cameras");
  await scene.until(
    "a link to the camera",
    (id) => document.querySelector(`a[href$='${id}']`),
    camera,
  );

  /** Tab, until `selector` has the focus and shows that it has. */
  const reach = async (selector) => {
    for (let n = 0; n < 80; n++) {
      await page.keyboard.press("Tab");
      const found = await page.evaluate((wanted) => {
        const element = document.activeElement;
        if (!element?.matches(wanted)) return null;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return { isSeen: outlineStyle !== "none" && parseFloat(outlineWidth) > 0 };
      }, selector);
      if (found) {
        if (!found.isSeen) throw new Error(`${selector} has the focus and does not show it`);
        return;
      }
    }
    throw new Error(`${selector} is not reached with Tab`);
  };

  await reach(`a[href$='${camera}']`);
  await scene.follow(() => page.keyboard.press("Enter"), `/cameras/${camera}`);
  await scene.until("the player is there", () => document.querySelector("vg-player .stage"));
  await reach("#mode-stored");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#purpose[open]");
  const asked = await page.evaluate(() => document.activeElement?.matches("input[name=code]"));
  await page.keyboard.press("ArrowDown");
  const code = await page.$eval("input[name=code]:checked", (radio) => radio.value);
  await page.keyboard.press("Tab");
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await scene.until(
    "a recorded picture",
    (w) => document.querySelector(w)?.readyState >= 2,
    STORED,
  );
  await reach("vg-timeline");
  await page.keyboard.press("Home");
  await scene.until("a moment", () => Number.isFinite(document.querySelector("vg-player").moment));
  const value = await page.$eval("vg-timeline", (line) => line.getAttribute("aria-valuetext"));
  await page.keyboard.press(" ");
  await scene.until("it stands", () => document.querySelector("vg-player").isPaused);
  const stood = await momentOf(scene);
  for (let n = 0; n < 3; n++) await page.keyboard.press("ArrowRight");
  await scene.until(
    "it went on by seconds",
    (from) => document.querySelector("vg-player").moment >= from + 1500,
    stood,
  );
  return { asked, code, value, moved: (await momentOf(scene)) - stood };
}
