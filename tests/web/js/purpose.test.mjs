import assert from "node:assert/strict";
import test from "node:test";

import { OTHER, TEXT_MAX, missingOf, purposeOf } from "../../../web/vonggac_web/static/purpose.js";

const CODES = ["hình sự", "tai nạn giao thông", OTHER];

test("a purpose comes from the closed list", () => {
  assert.equal(missingOf("hình sự", "", CODES), null);
  assert.equal(missingOf("", "VA-17", CODES), "code");
  assert.equal(missingOf("tò mò", "VA-17", CODES), "code");
  assert.equal(missingOf("hình sự ", "", CODES), "code");
});

for (const text of ["", "   ", "\u00a0\u3000", "\u200b\u200d", ".", "…", "--"])
  test(`"khác" with ${JSON.stringify(text)} says nothing`, () =>
    assert.equal(missingOf(OTHER, text, CODES), "text"));

for (const text of ["tập huấn", "x", "7", "Ø", "迷子"])
  test(`"khác" with "${text}" says something`, () =>
    assert.equal(missingOf(OTHER, text, CODES), null));

test("the text is sent in one form, without room around it, and never too long", () => {
  assert.deepEqual(purposeOf(OTHER, "  tập\n huấn  ".normalize("NFD")), {
    code: OTHER,
    text: "tập huấn".normalize("NFC"),
  });
  assert.equal([...purposeOf(OTHER, "🎥".repeat(500)).text].length, TEXT_MAX);
});

test("tags stay text", () => {
  assert.equal(purposeOf(OTHER, `<b>"&'`).text, `<b>"&'`);
});
