// What axe-core finds on a page, at a width; and whether the page is wider than its window.

import fs from "node:fs";
import { createRequire } from "node:module";

const tools = createRequire(new URL("../../../../web/package.json", import.meta.url));
const source = fs.readFileSync(tools.resolve("axe-core/axe.min.js"), "utf8");

export default async function axe(scene, { path, width = 1366, height = 768 }) {
  await scene.page.setViewport({ width, height });
  if (path) await scene.go(path);
  const overflow = await scene.page.evaluate(() => {
    const root = document.documentElement;
    const wide = [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > root.clientWidth + 1)
      .map((element) => `${element.tagName.toLowerCase()}.${element.className}#${element.id}`);
    return { by: root.scrollWidth - root.clientWidth, wide: wide.slice(0, 8) };
  });
  // As text: a script element would be refused by the page's own content policy.
  await scene.page.evaluate(source);
  const found = await scene.page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      where: nodes.slice(0, 4).map((node) => `${node.target.join(" ")}: ${node.failureSummary}`),
    }));
  });
  return {
    url: scene.page.url(),
    dark: await scene.page.evaluate(() => matchMedia("(prefers-color-scheme: dark)").matches),
    overflow,
    serious: found.filter(({ impact }) => impact === "serious" || impact === "critical"),
    minor: found
      .filter(({ impact }) => impact !== "serious" && impact !== "critical")
      .map((v) => v.id),
  };
}
