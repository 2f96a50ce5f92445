// Marks of a day that is replayed: signs below the line, a list with its source, played; filtered; put
// away for good.

import { STORED, startStored } from "../camera_page.mjs";

const ROWS = "#marks-list li";
const SIGNS = "#marks-row .mark-sign";

const textOf = (scene, what) => scene.page.$eval(what, (found) => found.textContent);

/** Until so many marks are listed. */
async function untilListed(scene, count) {
  await scene.until(
    `${count} marks`,
    (rows, wanted) => document.querySelectorAll(rows).length === wanted,
    ROWS,
    count,
  );
}

export default async function marks(scene, options) {
  const { camera, at, code, text, count, kind, few, width = 1366, shots } = options;
  const { page } = scene;
  await page.setViewport({ width, height: 768 });
  await startStored(scene, camera, at, code, text);
  await untilListed(scene, count);
  await scene.until("signs", (signs) => document.querySelector(signs), SIGNS);
  const sign = await page.$(SIGNS);
  await sign.scrollIntoView();
  await sign.hover();
  const tip = await textOf(scene, "#marks-row .tip");
  if (shots) await page.screenshot({ path: shots, fullPage: true });
  const seen = await page.evaluate(
    (rows, signs) => ({
      rows: [...document.querySelectorAll(rows)].map((row) => row.textContent),
      signs: document.querySelectorAll(signs).length,
      said: document.querySelector("#marks-said").textContent,
      wide: document.documentElement.scrollWidth - innerWidth,
    }),
    ROWS,
    SIGNS,
  );
  await sign.click();
  await scene.until(
    "the mark is played",
    (wanted, from) =>
      document.querySelector(wanted)?.readyState >= 2 &&
      Math.abs(document.querySelector("vg-player").moment - from) < 4000,
    STORED,
    options.first,
  );
  await page.select("#marks-kind", kind);
  await page.click("#marks-form button.main");
  await untilListed(scene, few);
  await page.click(`${ROWS} button`);
  await page.click("#marks-shown");
  const isOff = await page.$eval("#marks-row", (row) => row.hidden);
  await page.reload();
  await page.waitForSelector("#marks-shown");
  const staysOff = await page.$eval("#marks-shown", (input) => !input.checked);
  await page.click("#marks-shown");
  return { ...seen, tip, isOff, staysOff };
}
