import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { getElementById: () => null, documentElement: { lang: "vi" } };
globalThis.navigator ??= { userAgent: "" };
const { playerState } = await import("../../../web/vonggac_web/static/camera_live.js");

for (const [state, code, expected] of [
  ["starting", undefined, { state: "opening" }],
  ["live", undefined, null],
  ["dropped", undefined, null],
  ["waiting", "camera", { state: "waiting", code: "wait-camera" }],
  ["waiting", undefined, { state: "waiting", code: "wait-camera" }],
  ["waiting", "recorder", { state: "waiting", code: "wait-recorder" }],
  ["offline", undefined, { state: "waiting", code: "wait-offline" }],
  ["ended", "renew", { state: "ended", code: "renew" }],
  ["ended", undefined, { state: "ended", code: "look" }],
  ["refused", "receipt", { state: "failed", code: "refused" }],
  ["failed", "decode", { state: "failed", code: "decode" }],
])
  test(`a view that is ${state}${code ? ` (${code})` : ""} has its place in the player`, () =>
    assert.deepEqual(playerState(state, code), expected));
