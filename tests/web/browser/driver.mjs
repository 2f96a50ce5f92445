// A browser that plays stories: a line of JSON on stdin asks for one, a line on stdout tells how it
// went. Python has the box and its cameras; here is only what a person sees and does.
//
//   node driver.mjs chromium|firefox '{"origin": "http://127.0.0.1:1", "dark": false}'
//   {"story": "live", "camera": "..."}  ->  {"result": {...}} or {"error": "...", "console": [...]}

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { createRequire } from "node:module";

const tools = createRequire(new URL("../../../web/package.json", import.meta.url));
const puppeteer = tools("puppeteer-core");
const WAIT_MS = 40_000;

/** The options that start one of Debian's browsers without a screen. */
function launchOptions(name, profile, dark) {
  const common = { headless: true, userDataDir: profile, acceptInsecureCerts: true };
  // A machine with a proxy would send loopback there.
  const env = { ...process.env, HOME: profile, no_proxy: "127.0.0.1,localhost" };
  if (name === "firefox") {
    // BiDi has no word for dark; a preference has.
    const extraPrefsFirefox = { "layout.css.prefers-color-scheme.content-override": dark ? 0 : 1 };
    const executablePath = process.env.FIREFOX ?? "/usr/bin/firefox-esr";
    return { ...common, env, browser: "firefox", executablePath, extraPrefsFirefox };
  }
  // Where there is no graphics card its emulation costs more than drawing without one.
  const args = ["--disable-dev-shm-usage", "--disable-gpu"];
  // Root may not use Chromium's sandbox.
  if (process.getuid() === 0) args.push("--no-sandbox");
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return { ...common, env, browser: "chrome", executablePath, args };
}

/** What a story is given: the page, the origin, and what the page complained of so far. */
export class Scene {
  constructor(browser, page, { origin, name, dark }) {
    this.browser = browser;
    this.page = page;
    this.origin = origin;
    this.name = name;
    this.dark = dark;
    this.console = [];
    // A look ends with its page; the list that is opened next may still ask for its picture.
    this.expected = ["/still.mp4"];
  }

  /** Collects complaints; a violation of the content policy becomes one in both browsers alike. */
  async listen() {
    const page = this.page;
    page.setDefaultTimeout(WAIT_MS);
    if (this.name !== "firefox") {
      const value = this.dark ? "dark" : "light";
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
    }
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warn")
        this.console.push(
          `${message.type()}: ${message.text()} (${message.location()?.url ?? ""})`,
        );
    });
    page.on("pageerror", (error) => this.console.push(`pageerror: ${error.message}`));
    await page.evaluateOnNewDocument(() => {
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI}`);
      });
    });
  }

  /** Goes to a path of the page and waits until it has loaded. */
  async go(where) {
    await this.page.goto(this.origin + where, { waitUntil: "load" });
  }

  /** Does what leads to another page, and waits until that is there: forms answer with a redirect. */
  async follow(act, path) {
    const arrived = async () => {
      const isThere = new URL(this.page.url()).pathname === path;
      const state = () => document.readyState;
      return isThere && (await this.page.evaluate(state).catch(() => "")) === "complete";
    };
    await act();
    for (const until = Date.now() + WAIT_MS; !(await arrived());) {
      if (Date.now() > until) throw new Error(`${path} was not reached from ${this.page.url()}`);
      await new Promise((resolve) => setTimeout(resolve, 50)); // both browsers tell it differently
    }
  }

  /** What was complained of since it was asked last, what the story said it expects left out. */
  complaints() {
    const found = this.console.filter((line) => !this.expected.some((part) => line.includes(part)));
    this.console = [];
    return found;
  }

  /** How many pictures the element really presented, until `count` of them or the time is over. */
  async presented(selector, count, timeoutMs = WAIT_MS) {
    return this.page.evaluate(
      async (wanted, most, limit) => {
        const video = document.querySelector(wanted);
        const times = [];
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, limit);
          const one = (now, frame) => {
            times.push(frame.mediaTime);
            if (times.length >= most) {
              clearTimeout(timer);
              resolve();
            } else video.requestVideoFrameCallback(one);
          };
          video.requestVideoFrameCallback(one);
        });
        return {
          frames: times.length,
          advances: times.length > 1 && times.at(-1) > times[0],
          width: video.videoWidth,
          height: video.videoHeight,
        };
      },
      selector,
      count,
      timeoutMs,
    );
  }

  /** Waits until `predicate`, a function for the page, is true there; names itself if it is not. */
  async until(what, predicate, ...args) {
    try {
      await this.page.waitForFunction(predicate, { timeout: WAIT_MS, polling: 100 }, ...args);
    } catch (error) {
      throw new Error(`${what}: not within ${WAIT_MS / 1000} s (${error.message})`);
    }
  }
}

async function main() {
  const [name, text] = process.argv.slice(2);
  const { origin, dark = false } = JSON.parse(text);
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), "vonggac-browser-"));
  const browser = await puppeteer.launch(launchOptions(name, profile, dark));
  const say = (value) => process.stdout.write(JSON.stringify(value) + "\n");
  try {
    const page = await browser.newPage();
    const scene = new Scene(browser, page, { origin, name, dark });
    await scene.listen();
    say({ ready: await browser.version(), pid: browser.process().pid });
    for await (const line of readline.createInterface({ input: process.stdin })) {
      const { story, ...options } = JSON.parse(line);
      try {
        // A bench brings its own stories, by their whole path.
        const file = story.startsWith("/") ? `file://${story}` : `stories/${story}.mjs`;
        const play = await import(new URL(file, import.meta.url));
        const result = await play.default(scene, options);
        say({ result: result ?? {}, complaints: scene.complaints() });
      } catch (error) {
        const body = await page.evaluate(() => document.body?.innerText ?? "").catch(() => "");
        const where = page.url();
        say({
          error: error.stack,
          where,
          body: body.slice(0, 2000),
          complaints: scene.complaints(),
        });
      }
    }
  } finally {
    // After kill -9 of the browser there is nothing left to close.
    await browser.close().catch(() => {});
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

await main();
