// The first person comes in with the code, by keyboard alone, from whatever page was typed first.

export default async function firstSignIn(scene, { code, name, password }) {
  const { page } = scene;
  await scene.go("/");
  const landed = new URL(page.url()).pathname;
  const focused = await page.evaluate(() => document.activeElement?.id);
  const typed = () => page.$eval("#code", (input) => input.value);
  // A window that has just come may lose a key (seen once in ten runs): a person looks and types anew.
  for (let tries = 0; (await typed()) !== code; tries += 1) {
    if (tries === 3) throw new Error(`typed ${code}, the field has ${await typed()}`);
    await page.$eval("#code", (input) => input.select());
    await page.keyboard.type(code);
  }
  for (const text of [name, password, password]) {
    await page.keyboard.press("Tab");
    await page.keyboard.type(text);
  }
  await scene.follow(() => page.keyboard.press("Enter"), "/cameras");
  return {
    landed,
    focused,
    then: new URL(page.url()).pathname,
    heading: await page.$eval("h1", (element) => element.textContent.trim()),
    who: await page.$eval(".who-name", (element) => element.textContent.trim()),
    cookieInScript: await page.evaluate(() => document.cookie),
  };
}
