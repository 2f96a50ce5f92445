// A finger draws: a rectangle is pulled open, moved and reshaped by a corner; a polygon is set corner
// by corner. The page stays where it is meanwhile, as narrow as a phone.

import { startStored } from "../camera_page.mjs";

/** Where a place of the picture, in parts of it, lies in the window. */
async function placeOf(scene) {
  const box = await scene.page.$eval("vg-region", (region) => {
    const { x, y } = region.getBoundingClientRect();
    const { left, top, width, height } = region.rect;
    return { x: x + left, y: y + top, width, height };
  });
  return ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
}

/** A finger goes from one place of the picture to another. */
async function swipe(scene, from, to) {
  const { touchscreen } = scene.page;
  const place = await placeOf(scene);
  const [[x, y], [toX, toY]] = [place(from), place(to)];
  const touch = await touchscreen.touchStart(x, y);
  for (let step = 1; step <= 5; step++)
    await touch.move(x + ((toX - x) * step) / 5, y + ((toY - y) * step) / 5);
  await rest(scene, touch, toX, toY);
}

/** It stands still before it is lifted: in full flight it would throw, and the next tap only stop that. */
async function rest(scene, touch, x, y) {
  for (let n = 0; n < 3; n++) {
    await touch.move(x, y);
    await scene.page.evaluate(async () => {
      for (let n = 0; n < 4; n++) await new Promise(requestAnimationFrame);
    });
  }
  await touch.end();
}

/** The button with this id, brought into view as a person does, until it is (or is no more) pressed. */
async function tap(scene, id, pressed) {
  const button = await scene.page.$(`#${id}`);
  await button.scrollIntoView();
  // Of an automated finger Firefox makes no click.
  await (scene.name === "firefox" ? button.click() : button.tap());
  await scene.until(
    `${id} was pressed`,
    (wanted, state) => document.querySelector(wanted).getAttribute("aria-pressed") === state,
    `#${id}`,
    pressed,
  );
}

const cornersOf = (scene) => scene.page.$eval("#motion-corners", (input) => input.value);

export default async function touch(scene, { camera, code, text, width = 390, height = 844 }) {
  const { page } = scene;
  await page.setViewport({ width, height, hasTouch: true, isMobile: scene.name !== "firefox" });
  await startStored(scene, camera, null, code, text);
  await page.evaluate(() => {
    globalThis.pointers = new Set();
    document
      .querySelector("vg-region")
      .addEventListener("pointerdown", (event) => globalThis.pointers.add(event.pointerType));
  });
  await tap(scene, "motion-rectangle", "true");
  const before = await page.evaluate(() => scrollY);
  const told = {};
  await swipe(scene, [0.2, 0.2], [0.6, 0.7]);
  told.drawn = await cornersOf(scene);
  await swipe(scene, [0.4, 0.4], [0.5, 0.3]);
  told.moved = await cornersOf(scene);
  // Beside the corner: a finger is broad.
  const corner = await placeOf(scene).then((place) => place([0.7, 0.6]));
  const drag = await page.touchscreen.touchStart(corner[0] + 14, corner[1] + 10);
  const [toX, toY] = (await placeOf(scene))([0.9, 0.8]);
  await drag.move(toX - 20, toY - 10);
  await rest(scene, drag, toX, toY);
  told.reshaped = await cornersOf(scene);
  told.scrolled = (await page.evaluate(() => scrollY)) - before;
  told.pointers = await page.evaluate(() => [...globalThis.pointers]);
  await tap(scene, "motion-whole", null);
  await scene.until("nothing is drawn", () => !document.querySelector("#motion-corners").value);
  await tap(scene, "motion-polygon", "true");
  const place = await placeOf(scene);
  for (const [x, y] of [
    [0.2, 0.3],
    [0.8, 0.3],
    [0.5, 0.8],
    [0.2, 0.3],
  ].map(place))
    await page.touchscreen.tap(x, y);
  told.polygon = await cornersOf(scene);
  await swipe(scene, [0.5, 0.45], [0.6, 0.55]);
  told.shifted = await cornersOf(scene);
  await tap(scene, "motion-polygon", "false");
  // Drawing is over: the same finger moves the page again, and nothing of the region.
  await page.$eval("vg-player", (player) => player.scrollIntoView({ block: "nearest" }));
  await swipe(scene, [0.5, 0.5], [0.5, 0.2]);
  told.after = await cornersOf(scene);
  told.overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  await page.setViewport({ width: 1366, height: 768 });
  return told;
}
