// Comes in with a session that somebody else has: the bench's own.

export default async function enter(scene, { cookie }) {
  const at = cookie.indexOf("=");
  await scene.page.setCookie({
    name: cookie.slice(0, at),
    value: cookie.slice(at + 1),
    url: scene.origin,
    httpOnly: true,
  });
  await scene.go("/cameras");
  return { url: scene.page.url() };
}
