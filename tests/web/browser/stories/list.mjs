// The list of cameras: what each does, in words, and its day.

export default async function list(scene, { width = 1366 }) {
  const { page } = scene;
  await page.setViewport({ width, height: 768 });
  await scene.go("/cameras");
  await scene.until("a camera of the list", () =>
    document.querySelector("main a[href^='/cameras/']"),
  );
  return {
    text: await page.$eval("main", (main) => main.innerText),
    links: await page.$$eval("main a[href^='/cameras/']", (links) => links.map((l) => l.href)),
    images: await page.$$eval("main img, main video", (all) => all.length),
  };
}
