// A region is drawn on the picture of a recording, moved, and typed; what moved there is played.

import { STORED, startStored } from "../camera_page.mjs";

const HITS = "#motion-hits li";

/** Where a place of the picture, in parts of it, lies in the window. */
async function placeOf(scene) {
  const box = await scene.page.$eval("vg-region", (region) => {
    const { x, y } = region.getBoundingClientRect();
    const { left, top, width, height } = region.rect;
    return { x: x + left, y: y + top, width, height };
  });
  return ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
}

/** Presses on one place after the other. */
async function click(scene, places) {
  const place = await placeOf(scene);
  for (const one of places) await scene.page.mouse.click(...place(one));
}

/** Pulls, once nothing found before is told any more, from one place of the picture to another, in parts of it. */
async function pull(scene, from, to) {
  const { page } = scene;
  const place = await placeOf(scene);
  await page.$eval("#motion-said", (said) => (said.textContent = ""));
  await page.mouse.move(...place(from));
  await page.mouse.down();
  await page.mouse.move(...place(to), { steps: 4 });
  await page.mouse.up();
}

/** Until a search has found something: what was just recorded is not indexed yet. */
async function untilFound(scene) {
  await scene.until(
    "motion is found",
    (hits) => {
      const isOver = /\d/.test(document.querySelector("#motion-said").textContent);
      if (isOver && document.querySelectorAll(hits).length > 0) return true;
      const now = Date.now();
      // A person would press it again, too.
      if (now - (globalThis.lastAsked ?? 0) < 2000) return false;
      globalThis.lastAsked = now;
      document.querySelector("#motion-form button.main").click();
      return false;
    },
    HITS,
  );
}

/** What stays of a look to be seen when the box has ended it, where a search and its heat were shown. */
async function leftAfterTheEnd(scene) {
  const { page } = scene;
  // The player may still ask for what comes next.
  scene.expected.push("/media.m3u8");
  await page.click("#motion-heat");
  await page.waitForSelector("#heat:not([hidden])");
  await page.evaluate(() => {
    const look = /looks\/\w+/.exec(document.querySelector("#motion-hits video").src)[0];
    return fetch(`/api/v1/${look}`, { method: "DELETE" });
  });
  await page.waitForSelector("vg-player[data-state=ended]");
  return page.evaluate((hits) => {
    const videos = document.querySelectorAll(`${hits} video`).length;
    const rows = document.querySelectorAll(hits).length;
    return { videos, heat: !document.querySelector("#heat").hidden, rows: rows > 0 };
  }, HITS);
}

/** What is said of a search in hours of which one side was typed, and then half of the other. */
async function hoursOf(scene) {
  const { page } = scene;
  const said = [];
  await page.focus("#motion-hours-from");
  await page.$eval("#motion-hours-from", (input) => (input.value = "00:01"));
  await page.$eval("#motion-said", (words) => (words.textContent = ""));
  await page.click("#motion-form button.main");
  await scene.until("the search is over", () =>
    /\d/.test(document.querySelector("#motion-said").textContent),
  );
  said.push(await page.$eval("#motion-said", (words) => words.textContent));
  await page.focus("#motion-hours-to");
  await page.keyboard.type("1");
  await page.click("#motion-form button.main");
  said.push(await page.$eval("#motion-said", (words) => words.textContent));
  const focused = await page.evaluate(() => document.activeElement.id);
  for (const id of ["from", "to"])
    await page.$eval(`#motion-hours-${id}`, (input) => (input.value = ""));
  return { said, focused };
}

export default async function motion(scene, { camera, at, code, text, width = 1366, shots }) {
  const { page } = scene;
  await page.setViewport({ width, height: 768 });
  await startStored(scene, camera, at, code, text);
  await page.click("#motion-rectangle");
  await pull(scene, [0.1, 0.1], [0.5, 0.9]);
  const drawn = await page.$eval("#motion-corners", (input) => input.value);
  await untilFound(scene);
  await pull(scene, [0.3, 0.5], [0.4, 0.5]);
  const dragged = await page.$eval("#motion-corners", (input) => input.value);
  await untilFound(scene);
  await scene.until(
    "a key frame of a hit",
    () => document.querySelector("#motion-hits video")?.readyState >= 2,
  );
  if (shots) await page.screenshot({ path: shots, fullPage: true });
  const found = await page.evaluate((hits) => {
    const { motion } = document.querySelector("vg-timeline");
    return {
      listed: document.querySelectorAll(hits).length,
      said: document.querySelector("#motion-said").textContent,
      onLine: motion.hits.length + motion.rough.length,
      covered: motion.covered.length,
      from: motion.hits.at(-1)[0],
    };
  }, HITS);
  await page.click("#motion-heat");
  await page.waitForSelector("#heat:not([hidden])");
  const heat = await page.$eval("#heat", (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, 64, 36);
    const hot = data.filter((value, at) => at % 4 === 3 && value > 0).length;
    const [over, picture] = [canvas, document.querySelector("vg-region")].map((e) =>
      e.getBoundingClientRect(),
    );
    const { left } = document.querySelector("vg-region").rect;
    const off = Math.abs(over.x - picture.x - left);
    return { hot, off, words: canvas.getAttribute("aria-label") };
  });
  if (shots) await page.screenshot({ path: shots.replace(".png", "-heat.png") });
  await page.click("#motion-heat");
  await page.click(`${HITS} button`);
  await scene.until(
    "the motion is played",
    (wanted, from) =>
      document.querySelector(wanted)?.readyState >= 2 &&
      Math.abs(document.querySelector("vg-player").moment - from) < 4000,
    STORED,
    found.from,
  );
  const left = await leftAfterTheEnd(scene);
  await page.click("#said-button"); // the recording again
  await scene.until("a recorded picture", (shown) => document.querySelector(shown), STORED);
  await page.click("#motion-how summary");
  const typed = {};
  for (const [name, corners] of Object.entries({ wrong: "0,0 200,5", right: "0,0 30,40" })) {
    await page.$eval("#motion-corners", (input) => (input.value = ""));
    await page.type("#motion-corners", corners);
    await page.keyboard.press("Enter");
    typed[name] = await page.$eval("#motion-wrong", (said) => said.textContent);
  }
  await scene.until("the search is over", () =>
    /\d/.test(document.querySelector("#motion-said").textContent),
  );
  const hours = await hoursOf(scene);
  await page.click("#motion-whole");
  const cleared = await page.evaluate((hits) => {
    return document.querySelector("vg-region").hidden && !document.querySelector(hits);
  }, HITS);
  await page.click("#motion-polygon");
  await click(scene, [
    [0.2, 0.2],
    [0.8, 0.2],
    [0.5, 0.8],
    [0.2, 0.2],
  ]);
  const polygon = await page.$eval("#motion-corners", (input) => input.value);
  await page.click("#motion-mask");
  const masked = await page.$eval("vg-region", (region) => ({
    masks: region.masks.length,
    drawn: region.querySelectorAll(".mask").length,
    points: region.points.length,
  }));
  await page.click("#motion-others summary");
  await page.waitForSelector("#motion-cameras input");
  await page.click("#motion-cameras input");
  await page.click("#motion-form button.main");
  await scene.until("another camera's motion", () =>
    document.querySelector("#motion-hits a[href*='?at=']"),
  );
  const other = await page.$eval("#motion-hits a", (link) => link.textContent);
  return { polygon, masked, other, drawn, dragged, ...found, heat, left, typed, hours, cleared };
}
