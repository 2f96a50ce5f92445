// The list is filtered and put in order without asking the box, and looks the same once loaded again.

const shown = (page) =>
  page.$$eval("#cameras tr", (rows) =>
    rows.filter((row) => !row.hidden).map((row) => row.dataset.code),
  );

export default async function filter(scene, { wanted }) {
  const { page } = scene;
  await page.setViewport({ width: 1366, height: 768 });
  await scene.go("/cameras");
  const all = await shown(page);
  const navigations = [];
  page.on("framenavigated", (frame) => navigations.push(frame.url()));

  await page.type("#q", wanted);
  const found = await shown(page);
  await page.select("#sort", "code");
  const ordered = await page.$$eval("#cameras tr", (rows) => rows.map((row) => row.dataset.code));
  const address = await page.evaluate(() => location.search);
  await page.type("#q", " nothing of the kind");
  const isTold = await page.$eval("#nothing", (element) => !element.hidden);
  const loaded = navigations.filter((url) => !url.includes("?")).length;

  await scene.go(`/cameras${address}`);
  const again = await shown(page);
  // The list is asked for again by itself, and keeps what was hidden.
  await page.waitForResponse((response) => response.url().endsWith("/api/v1/cameras"));
  return { all, found, ordered, address, isTold, loaded, again, later: await shown(page) };
}
