// A camera goes away while somebody looks at the list: its reason appears by itself.

export default async function lost(scene, { words }) {
  const { page } = scene;
  await page.setViewport({ width: 1366, height: 768 });
  await scene.go("/cameras");
  await scene.until(
    "the list without it",
    (word) => !document.body.innerText.includes(word),
    words,
  );
  process.stdout.write(JSON.stringify({ now: "looking" }) + "\n");
  await scene.until("the reason", (word) => document.body.innerText.includes(word), words);
  return { text: await page.$eval("main", (main) => main.innerText) };
}
