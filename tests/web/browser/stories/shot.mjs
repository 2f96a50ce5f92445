// A picture of the page as it is, or of another path, at a width.

export default async function shot(scene, { path, width, height, file, words }) {
  const { page } = scene;
  await page.setViewport({ width, height });
  if (path) await scene.go(path);
  if (words)
    await scene.until("the words", (text) => document.body.innerText.includes(text), words);
  await page.evaluate(async () => {
    await document.fonts.ready;
    document.activeElement?.blur();
    // Two pictures later the new width has been drawn.
    for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
  });
  await page.screenshot({ path: file });
  return { url: page.url() };
}
