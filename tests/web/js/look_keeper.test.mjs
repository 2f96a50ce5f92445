import assert from "node:assert/strict";
import test from "node:test";

/** What these modules need of a browser: an empty page, its box, and its end. */
const asked = [];
const leaving = new EventTarget();
let answer = () => ({});
globalThis.document = { getElementById: () => null, documentElement: { lang: "vi" } };
globalThis.addEventListener = leaving.addEventListener.bind(leaving);
globalThis.fetch = async (path, { method, body, keepalive }) => {
  asked.push({ method, path, body: body && JSON.parse(body), keepalive: keepalive ?? false });
  return method === "DELETE"
    ? new Response(null, { status: 204 })
    : new Response(JSON.stringify(answer(method, path)));
};
const { LookKeeper, lookOf, timesOf, WARN_MS } =
  await import("../../../web/vonggac_web/static/look_keeper.js");

const PURPOSE = { code: "hình sự", text: "VA-17" };
const told = (id, livesMs = 900_000) => ({
  look: id,
  kind: "stored",
  from: 1000,
  to: 2000,
  expires: Date.now() + livesMs,
  streams: [{ name: "main", codec: "avc1.64001f", width: 1280, height: 720 }, { name: "sub" }],
});

test("a look is read whole, and what is not known stays unknown", () => {
  const look = lookOf({ ...told("a"), from: "2026-11-22T08:00:00+07:00", to: 5 }, PURPOSE);
  assert.equal(look.from, Date.parse("2026-11-22T01:00:00Z"));
  assert.equal(look.to, 5);
  assert.deepEqual(look.streams[1], { name: "sub", codec: null, width: 0, height: 0 });
  assert.deepEqual(look.purpose, PURPOSE);
});

test("whoever looks is asked a minute before the end, or at once where less is left", () => {
  assert.deepEqual(timesOf(1_000_000, 100_000), { warn: 900_000 - WARN_MS, end: 900_000 });
  assert.deepEqual(timesOf(130_000, 100_000), { warn: 0, end: 30_000 });
  assert.deepEqual(timesOf(1, 100_000), { warn: 0, end: 0 });
});

test("one look at a time is open, held, and ended with the page", async () => {
  const held = [];
  const keeper = new LookKeeper("c0", (looks) => held.push(looks));
  answer = () => told("a");
  await keeper.open("stored", { from: 1000, to: 2000 }, PURPOSE);
  assert.deepEqual(asked.at(-1).body, {
    camera: "c0",
    kind: "stored",
    from: 1000,
    to: 2000,
    purpose: PURPOSE,
  });
  answer = () => told("b");
  await keeper.open("live", null, PURPOSE);
  assert.deepEqual(
    asked.slice(-2).map(({ method, path }) => `${method} ${path}`),
    ["DELETE /api/v1/looks/a", "POST /api/v1/looks"],
  );
  assert.deepEqual(held, [["a"], [], ["b"]]);
  leaving.dispatchEvent(new Event("pagehide"));
  assert.deepEqual(asked.at(-1), {
    method: "DELETE",
    path: "/api/v1/looks/b",
    body: undefined,
    keepalive: true,
  });
  assert.equal(keeper.look, null);
});

test("of two that are asked for at once the later one stays, and the other is ended", async () => {
  const keeper = new LookKeeper("c0", () => {});
  let count = 0;
  answer = () => told(`f${++count}`);
  const both = [1, 2].map((from) => keeper.open("stored", { from, to: 9 }, PURPOSE));
  const [first, second] = await Promise.all(both);
  assert.equal(keeper.look.id, second.id);
  assert.equal(asked.filter(({ path }) => path === `/api/v1/looks/${first.id}`).length, 1);
  keeper.end();
});

test("what is put away while it is being opened is ended as soon as it is there", async (t) => {
  const held = [];
  const keeper = new LookKeeper("c0", (looks) => held.push(looks));
  t.after(() => keeper.end());
  answer = () => told("put-away");
  const opened = keeper.open("stored", { from: 1, to: 2 }, PURPOSE);
  keeper.end();
  await opened;
  assert.equal(keeper.look, null);
  assert.deepEqual(held, []);
  const { method, path } = asked.at(-1);
  assert.equal(`${method} ${path}`, "DELETE /api/v1/looks/put-away");
});

test("that a look is closed is told, whoever ended it, and before it is told to be over", async () => {
  const events = [];
  const keeper = new LookKeeper("c0", () => {});
  for (const name of ["opened", "closed", "over"])
    keeper.addEventListener(name, () => events.push(name));
  answer = () => told("g");
  const open = () => keeper.open("stored", { from: 1, to: 2 }, PURPOSE);
  await open();
  await open();
  keeper.end();
  keeper.end();
  await open();
  keeper.ended("g", "look");
  assert.deepEqual(events.join(" "), "opened closed opened closed opened closed over");
});

test("a look that runs out asks, and is over when nobody says anything", async () => {
  const keeper = new LookKeeper("c0", () => {});
  answer = () => told("c", 80);
  const ending = new Promise((resolve) => keeper.addEventListener("ending", resolve));
  const over = new Promise((resolve) => keeper.addEventListener("over", resolve));
  await keeper.open("stored", { from: 1, to: 2 }, PURPOSE);
  await ending;
  assert.equal((await over).detail.code, "renew");
  assert.equal(keeper.look, null);
});

test("whoever goes on is told so, and keeps the same look", async () => {
  const keeper = new LookKeeper("c0", () => {});
  answer = () => told("d", 50_000);
  await keeper.open("stored", { from: 1, to: 2 }, PURPOSE);
  const until = keeper.look.expires;
  let renewed = 0;
  keeper.addEventListener("renewed", () => renewed++);
  answer = () => told("d", 900_000);
  await keeper.renew();
  assert.equal(renewed, 1);
  assert.ok(keeper.look.expires > until);
  keeper.end();
});

test("the end of another look changes nothing", async () => {
  const keeper = new LookKeeper("c0", () => {});
  answer = () => told("e");
  await keeper.open("stored", { from: 1, to: 2 }, PURPOSE);
  keeper.ended("d", "look");
  assert.equal(keeper.look.id, "e");
  keeper.ended("e", "look");
  assert.equal(keeper.look, null);
});
