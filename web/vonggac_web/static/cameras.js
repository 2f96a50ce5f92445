// The list of cameras goes on by itself: filter and order without a request, states every few
// seconds and at once when the recorder tells of a change.

import { api } from "./api.js";
import { drawDayBar, recordedMs } from "./day_bar.js";
import { bitsPerSecond, howLong } from "./how_long.js";
import { dateAndTime, hasText, number, t, timeOfDay } from "./page.js";
import { isFound } from "./search.js";
import { PageSocket } from "./socket.js";

const EVERY_MS = 5000;
/** A rate is known after two counts, and nobody counted before somebody looked. */
const FIRST_MS = 2500;
const AFTER_EVENT_MS = 300;
const MARKS = { recording: "good", connecting: "warn", paused: "warn" };
const CODECS = { h264: "H.264", h265: "H.265", mjpeg: "MJPEG" };

/**
 * @typedef {{name: string, state: string, codec: string | null, width_px: number,
 *   height_px: number, frames_per_s: number | null, bits_per_s: number | null}} Stream
 * @typedef {{id: string, code: string, state: string, is_recording: boolean, is_red: boolean,
 *   gap_reason: string | null, since_ms: number | null, streams: Stream[],
 *   day: import("./day_bar.js").Day | null, still: string | null}} Camera
 * @typedef {{at_ms: number, is_recorder_answering: boolean, recorder_seen_ms: number | null,
 *   counts: Record<string, number>, cameras: Camera[]}} List
 */

class CameraTable {
  /** @param {HTMLElement} body */
  constructor(body) {
    this.body = body;
    this.away = /** @type {HTMLElement} */ (document.getElementById("away"));
    this.nothing = /** @type {HTMLElement} */ (document.getElementById("nothing"));
    this.wanted = /** @type {HTMLInputElement} */ (document.getElementById("q"));
    this.order = /** @type {HTMLSelectElement} */ (document.getElementById("sort"));
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    for (const row of body.querySelectorAll("tr")) this.rows.set(row.dataset.id ?? "", row);
    this.atMs = Date.now();
    this.timer = 0;
    this.isAsking = false;
  }

  begin() {
    this.wanted.addEventListener("input", () => this.filter());
    this.order.addEventListener("change", () => this.sort());
    document.addEventListener("visibilitychange", () => this.plan(0));
    const socket = new PageSocket();
    socket.addEventListener("camera", () => this.plan(AFTER_EVENT_MS));
    this.plan(FIRST_MS);
  }

  /** One request at a time, none while nobody sees the page. @param {number} waitMs */
  plan(waitMs) {
    clearTimeout(this.timer);
    if (document.visibilityState === "hidden") return;
    this.timer = window.setTimeout(() => this.refresh(), waitMs);
  }

  async refresh() {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      this.show(await api("GET", "/api/v1/cameras", undefined, { isPoll: true }));
    } catch (error) {
      console.warn(error);
      this.away.hidden = false;
      this.away.textContent = t("cameras.stale", { when: timeOfDay(this.atMs) });
    } finally {
      this.isAsking = false;
      this.plan(EVERY_MS);
    }
  }

  /** @param {List} list */
  show(list) {
    if (list.cameras.some((camera) => !this.rows.has(camera.id))) {
      location.reload(); // a camera was added: the server draws its row
      return;
    }
    this.atMs = list.at_ms;
    this.away.hidden = list.is_recorder_answering;
    this.away.textContent = awayWords(list);
    for (const element of document.querySelectorAll("[data-count]")) {
      const count = list.counts[/** @type {HTMLElement} */ (element).dataset.count ?? ""] ?? 0;
      element.textContent = number(count);
      element.parentElement?.toggleAttribute("data-zero", count === 0);
    }
    const left = new Set(this.rows.keys());
    for (const camera of list.cameras) {
      const row = this.rows.get(camera.id);
      if (row === undefined) continue;
      left.delete(camera.id);
      showCamera(row, camera, list.at_ms);
    }
    for (const id of left) {
      this.rows.get(id)?.remove();
      this.rows.delete(id);
    }
  }

  filter() {
    let found = 0;
    for (const row of this.rows.values()) {
      const { code = "", point = "", area = "" } = row.dataset;
      row.hidden = !isFound(this.wanted.value, [code, point, area]);
      found += row.hidden ? 0 : 1;
    }
    this.nothing.hidden = found > 0;
    this.remember();
  }

  sort() {
    const keys = { state: stateKey, code: codeKey, area: areaKey };
    const key = keys[/** @type {keyof typeof keys} */ (this.order.value)] ?? stateKey;
    const rows = [...this.rows.values()].map((row) => ({ row, key: key(row) }));
    rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    this.body.append(...rows.map(({ row }) => row));
    this.remember();
  }

  /** Where the page is loaded again, it looks the same. */
  remember() {
    const query = new URLSearchParams();
    if (this.wanted.value) query.set("q", this.wanted.value);
    if (this.order.selectedIndex > 0) query.set("sort", this.order.value);
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  }
}

/**
 * What the recorder says, in the page's words; as it said it, where it is newer than the page.
 * @param {"state" | "gap"} kind
 * @param {string} word
 */
function inWords(kind, word) {
  const key = `${kind}.${word.replaceAll(" ", "-")}`;
  return hasText(key) ? t(key) : word;
}

/** @param {HTMLElement} row */
const codeKey = (row) => row.dataset.code ?? "";

/** @param {HTMLElement} row */
const areaKey = (row) => [row.dataset.area, row.dataset.point, row.dataset.code].join("\u0000");

/** @param {HTMLElement} row */
function stateKey(row) {
  const isRecording = row.querySelector(".what .state")?.classList.contains("good") ? 1 : 0;
  const isPlain = row.querySelector(".red-mark") === null ? 1 : 0;
  return `${isRecording}${isPlain}${row.dataset.code}`;
}

/** @param {List} list */
function awayWords(list) {
  if (list.is_recorder_answering) return "";
  if (list.recorder_seen_ms === null) return t("recorder.away");
  return t("recorder.away-since", { when: dateAndTime(list.recorder_seen_ms) });
}

/**
 * @param {HTMLElement} row
 * @param {Camera} camera
 * @param {number} atMs
 */
function showCamera(row, camera, atMs) {
  const state = row.querySelector(".what .state");
  const why = row.querySelector(".why");
  if (state === null || why === null) return;
  const mark = MARKS[/** @type {keyof typeof MARKS} */ (camera.state)] ?? "bad";
  state.className = `state ${mark}`;
  state.textContent = inWords("state", camera.state);
  why.textContent = camera.is_recording ? "" : whyWords(camera, atMs);
  for (const stream of camera.streams) {
    const facts = row.querySelector(`[data-stream="${CSS.escape(stream.name)}"] .stream-facts`);
    if (facts !== null) facts.textContent = streamFacts(stream);
  }
  showDay(row, camera.day);
  showStill(row, camera);
}

/** @param {Camera} camera @param {number} atMs */
function whyWords(camera, atMs) {
  const words = [];
  if (camera.gap_reason !== null) words.push(inWords("gap", camera.gap_reason));
  if (camera.since_ms !== null) {
    const long = howLong((atMs - camera.since_ms) / 1000);
    words.push(t("cameras.since", { when: dateAndTime(camera.since_ms), long }));
  }
  return words.join(" ");
}

/** As `stream_facts` of the server. @param {Stream} stream */
function streamFacts(stream) {
  const facts = [];
  if (stream.codec !== null) {
    facts.push(CODECS[/** @type {keyof typeof CODECS} */ (stream.codec)] ?? stream.codec);
  }
  if (stream.width_px) facts.push(`${stream.width_px}×${stream.height_px}`);
  if (stream.frames_per_s !== null && stream.bits_per_s !== null) {
    facts.push(t("stream.fps", { fps: number(stream.frames_per_s, 1) }));
    facts.push(bitsPerSecond(stream.bits_per_s));
  } else if (stream.state !== "recording") {
    facts.push(inWords("state", stream.state));
  }
  return facts.join(" · ");
}

/** @param {HTMLElement} row @param {import("./day_bar.js").Day | null} day */
function showDay(row, day) {
  const cell = row.querySelector(".day");
  if (cell === null || day === null) return;
  let svg = /** @type {SVGSVGElement | null} */ (cell.querySelector("svg"));
  if (svg?.dataset.to === String(day.to)) return;
  if (svg === null) {
    svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "day-bar");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("role", "img");
    cell.prepend(svg);
  }
  const words = t("bar.words", {
    recorded: howLong(recordedMs(day) / 1000),
    gaps: number(day.gaps.length),
  });
  svg.dataset.to = String(day.to);
  svg.setAttribute("aria-label", words);
  drawDayBar(svg, day, ([from, to, reason]) => {
    return `${timeOfDay(from)}–${timeOfDay(to)}: ${inWords("gap", reason)}`;
  });
  const text = cell.querySelector("span");
  if (text !== null) text.textContent = words;
}

/** A picture only of a camera that this session is looking at. @param {HTMLElement} row @param {Camera} camera */
function showStill(row, camera) {
  const cell = row.querySelector(".still");
  if (cell === null) return;
  const video = cell.querySelector("video");
  if (camera.still === null) {
    if (video === null) return;
    const nothing = document.createElement("span");
    nothing.className = "no-still";
    nothing.textContent = t("cameras.no-still");
    cell.replaceChildren(nothing);
  } else if (video === null) {
    const picture = document.createElement("video");
    picture.muted = true;
    picture.playsInline = true;
    picture.preload = "auto";
    picture.src = camera.still;
    picture.setAttribute("aria-label", t("cameras.still", { camera: camera.code }));
    cell.replaceChildren(picture);
  }
}

const body = document.getElementById("cameras");
if (body !== null) new CameraTable(body).begin();
