// Leaving: the page that was open asks for a password again.

export default async function signOut(scene) {
  const { page } = scene;
  await scene.go("/cameras");
  await scene.follow(() => page.click("form.who button"), "/sign-in");
  const then = new URL(page.url()).pathname;
  await scene.go("/cameras");
  return { then, back: new URL(page.url()).pathname };
}
