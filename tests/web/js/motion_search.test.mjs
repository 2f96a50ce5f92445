// Lines of JSON, however the network cuts them.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document ??= { getElementById: () => null, documentElement: { lang: "vi" } };
const { linesOf } = await import("../../../web/vonggac_web/static/motion_search.js");

/** @param {Uint8Array[]} parts */
function bodyOf(parts) {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

/** @param {ReadableStream<Uint8Array>} body */
async function all(body) {
  const found = [];
  for await (const line of linesOf(body)) found.push(line);
  return found;
}

test("lines are the same wherever they were cut, in the middle of a letter too", async () => {
  const lines = [{ kind: "hits", hits: [{ what: "ngõ Đội Cấn" }] }, { kind: "done" }];
  const bytes = new TextEncoder().encode(lines.map((one) => JSON.stringify(one) + "\n").join(""));
  for (let at = 0; at <= bytes.length; at++)
    assert.deepEqual(await all(bodyOf([bytes.slice(0, at), bytes.slice(at)])), lines);
});

test("a line comes before the next one is there", async () => {
  let send;
  const body = new ReadableStream({ start: (controller) => void (send = controller) });
  const lines = linesOf(body);
  send.enqueue(new TextEncoder().encode('{"kind":"covered"}\n{"kind":'));
  assert.deepEqual((await lines.next()).value, { kind: "covered" });
  send.enqueue(new TextEncoder().encode('"done"}\n'));
  assert.deepEqual((await lines.next()).value, { kind: "done" });
  send.close();
  assert.ok((await lines.next()).done);
});

test("half a line at the end is none", async () => {
  assert.deepEqual(await all(bodyOf([new TextEncoder().encode('{"a":1}\n{"b":')])), [{ a: 1 }]);
});
