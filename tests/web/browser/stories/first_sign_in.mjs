// The first person comes in with the code, by keyboard alone, from whatever page was typed first.

export default async function firstSignIn(scene, { code, name, password }) {
  const { page } = scene;
  await scene.go("/");
  const landed = new URL(page.url()).pathname;
  const focused = await page.evaluate(() => document.activeElement?.id);
  await page.keyboard.type(code);
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
