// Leaving: the page that was open asks for a password again.

export default async function signOut(scene) {
  const { page } = scene;
  await scene.go("/cameras");
  await Promise.all([page.waitForNavigation(), page.click("form.who button")]);
  const then = new URL(page.url()).pathname;
  await scene.go("/cameras");
  return { then, back: new URL(page.url()).pathname };
}
