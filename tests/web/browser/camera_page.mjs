// The page of a camera, as a person uses it. What the page's elements are called stands only here.

export const LIVE = "vg-player video.live";
export const STORED = "vg-player video.stored.shown";
export const KEYS = "vg-player video.keys";

/** Opens a camera's page and waits until its script runs. */
export async function openCamera(scene, camera) {
  await scene.go(`/cameras/${camera}`);
  await scene.until("the player is there", () => document.querySelector("vg-player .stage"));
}

/** The name of the player's state. */
export function stateOf(scene) {
  return scene.page.$eval("vg-player", (player) => player.dataset.state);
}

/** Answers the question for a purpose. */
export async function sayPurpose(scene, code, text = "") {
  const { page } = scene;
  await page.waitForSelector("#purpose[open]");
  await page.click(`#purpose input[name=code][value="${code}"]`);
  if (text) await page.type("#purpose-text", text);
  await page.click("#purpose button.main");
  await page.waitForSelector("#purpose:not([open])");
}

/** Live pictures of a camera, until the first one is there; gives the element's selector. */
export async function startLive(scene, camera, code = "hình sự", text = "") {
  await openCamera(scene, camera);
  await scene.page.click("#mode-live");
  await sayPurpose(scene, code, text);
  await scene.until(
    "a live picture",
    (wanted) => document.querySelector(wanted)?.readyState >= 2,
    LIVE,
  );
  return LIVE;
}

/** Recordings from a moment on (ms), until the first picture is there. */
export async function startStored(scene, camera, at, code = "hình sự", text = "") {
  await openCamera(scene, camera);
  await scene.page.click("#mode-stored");
  await sayPurpose(scene, code, text);
  await scene.until(
    "a recorded picture",
    (wanted) => document.querySelector(wanted)?.readyState >= 2,
    STORED,
  );
  if (at) await goTo(scene, at);
  return STORED;
}

/** Types a moment (ms) as a person reads it, and waits until its picture is shown. */
export async function goTo(scene, at) {
  const { page } = scene;
  const text = new Intl.DateTimeFormat("en-GB", {
    timeZone: "Asia/Ho_Chi_Minh",
    timeStyle: "medium",
  }).format(at);
  await page.$eval("#go-to-time", (input) => (input.value = ""));
  await page.type("#go-to-time", text);
  await page.keyboard.press("Enter");
  await scene.until(
    `the picture of ${text}`,
    (wall) => Math.abs(document.querySelector("vg-player").moment - wall) < 3000,
    at,
  );
}

/** Wall time (ms) of the recorded picture that is shown. */
export function momentOf(scene) {
  return scene.page.$eval("vg-player", (player) => player.moment);
}
