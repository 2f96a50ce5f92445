// Somebody who has an account signs in, and lands where they wanted to go.

export default async function signIn(scene, { name, password, next = "/cameras" }) {
  const { page } = scene;
  await scene.go(next);
  await page.type("#name", name);
  await page.type("#password", password);
  await scene.follow(() => page.click("main button.main"), next);
  return { then: new URL(page.url()).pathname };
}
