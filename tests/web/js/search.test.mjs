import assert from "node:assert/strict";
import test from "node:test";

import { folded, isFound } from "../../../web/vonggac_web/static/search.js";

for (const [text, plain] of [
  ["Ngõ Đội Cấn", "ngo doi can"],
  ["Ngõ Đội Cấn".normalize("NFD"), "ngo doi can"],
  ["TỔ 7 – ngã ba đường", "to 7 – nga ba duong"],
  ["", ""],
]) {
  test(`«${text}» is found as «${plain}»`, () => assert.equal(folded(text), plain));
}

for (const [wanted, found] of [
  ["doi can", true],
  ["Cấn đội", true],
  ["cam7 ngo", true],
  ["  ", true],
  ["cam8", false],
  ["<b>", false],
]) {
  test(`«${wanted}» ${found ? "is" : "is not"} found`, () =>
    assert.equal(isFound(wanted, ["cam7", "ngõ Đội Cấn", "tổ 3"]), found));
}
