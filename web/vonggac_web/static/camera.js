// The page of one camera: who may see what comes from here, what is seen from <vg-player>, and the
// day from <vg-timeline>. No picture comes before a purpose was given and a look was opened with it.

import { ApiError } from "./api.js";
import { CameraControls, isJpeg } from "./camera_controls.js";
import { CameraLine, element, reasonWords } from "./camera_line.js";
import { CameraLive } from "./camera_live.js";
import { CameraMotion } from "./camera_motion.js";
import { LookKeeper } from "./look_keeper.js";
import { hasText, t } from "./page.js";
import { VgPlayer } from "./player.js";
import { PurposeDialog } from "./purpose.js";
import { PageSocket } from "./socket.js";
import { canPlayStored } from "./stored.js";
import { clockText, DAY_MS, dayStart, dayText } from "./wall_time.js";

/** @typedef {import("./look_keeper.js").Look} Look */

/** Replay that comes so near to now goes over to live. */
const LIVE_EDGE_MS = 60_000;
/** A gap that ends so near to now is open. */
const NEAR_MS = 10_000;
/** Replay begins so long before the newest picture where nobody said from when. */
const RECENT_MS = 20_000;

/** @param {number} wall */
const timeText = (wall) => `${dayText(wall)} ${clockText(wall)}`;

class CameraPage {
  /** @type {"none" | "live" | "stored"} */
  mode = "none";
  /** @type {import("./purpose.js").Purpose | null} */
  purpose = null;
  player = element("player", VgPlayer);
  root = element("camera", HTMLElement);
  #said = element("said-text", HTMLElement);
  #button = element("said-button", HTMLButtonElement);
  #goOn = element("go-on", HTMLElement);
  /** @type {() => void} what the button in the picture does */
  #onButton = () => {};
  /** The moment to go back to. */
  #wanted = NaN;
  #turn = 0;

  constructor() {
    const camera = this.root.dataset.camera ?? "";
    this.socket = new PageSocket();
    this.keeper = new LookKeeper(camera, (looks) => this.socket.hold(looks));
    this.dialog = new PurposeDialog(element("purpose", HTMLDialogElement));
    this.line = new CameraLine(camera);
    this.controls = new CameraControls(this);
    this.live = new CameraLive(this.player, this.socket, element("age", HTMLElement));
    this.motion = new CameraMotion(this);
    this.#listen();
  }

  #listen() {
    const { keeper, line, player } = this;
    this.socket.addEventListener("look", (event) => {
      const told = /** @type {CustomEvent} */ (event).detail;
      if (told.state === "ended") keeper.ended(told.look, told.code);
    });
    element("mode-live", HTMLElement).addEventListener("click", () => this.goLive());
    element("mode-stored", HTMLElement).addEventListener("click", () => this.goStored());
    this.#button.addEventListener("click", () => this.#onButton());
    element("go-on-button", HTMLElement).addEventListener("click", () => this.#renew());
    element("purpose-change", HTMLElement).addEventListener("click", () => this.#changePurpose());
    line.addEventListener("seek", (event) => this.seek(/** @type {CustomEvent} */ (event).detail));
    line.addEventListener("scrub", (event) =>
      this.scrub(/** @type {CustomEvent} */ (event).detail),
    );
    player.addEventListener("state", (event) => {
      const { state, code } = /** @type {CustomEvent} */ (event).detail;
      this.#tell(state, code);
    });
    player.addEventListener("moment", (event) => {
      this.#wanted = /** @type {CustomEvent} */ (event).detail;
      line.line.moveTo(this.#wanted);
    });
    player.addEventListener(
      "gap",
      (event) => void this.#tellGap(/** @type {CustomEvent} */ (event).detail),
    );
    player.addEventListener(
      "edge",
      (event) => void this.#atEdge(/** @type {CustomEvent} */ (event).detail),
    );
    this.live.addEventListener("moment", (event) => {
      const wall = /** @type {CustomEvent} */ (event).detail;
      line.line.moveTo(wall);
      this.controls.tell(wall);
    });
    this.live.addEventListener("unsupported", (event) =>
      this.#liveUnsupported(/** @type {CustomEvent} */ (event).detail),
    );
    keeper.addEventListener("ending", () => this.#askToGoOn());
    keeper.addEventListener("renewed", () => (this.#goOn.hidden = true));
    keeper.addEventListener("over", (event) => {
      this.#goOn.hidden = true;
      player.clear("ended", /** @type {CustomEvent} */ (event).detail.code);
    });
    addEventListener("pagehide", () => player.clear("idle"));
  }

  /** Live pictures from now on. */
  async goLive() {
    const look = await this.#open("live", null);
    if (!look) return;
    this.#wanted = NaN;
    this.#showLive(look, this.controls.choose(look.streams));
  }

  /** Live pictures of a look. @param {Look} look @param {string | null} stream */
  #showLive(look, stream) {
    if (stream === null) return this.#cannotDecode(look.streams.map(({ codec }) => codec));
    this.line.of(stream);
    this.live.show(look.id, stream);
  }

  /**
   * The look did not know the codec, and this browser does not decode what comes.
   * @param {string} [codec] of it
   */
  #liveUnsupported(codec) {
    const { look } = this.keeper;
    if (!look) return;
    const other = this.controls.chooseOther(look.streams, this.controls.wanted);
    if (other === null) return this.#cannotDecode([codec]);
    this.#showLive(look, other);
  }

  /** Nothing is seen, so nothing is looked at. @param {(string | null | undefined)[]} codecs */
  #cannotDecode(codecs) {
    this.keeper.end();
    this.player.clear("failed", codecs.length > 0 && codecs.every(isJpeg) ? "codec-jpeg" : "codec");
  }

  /** Recordings, from where one was or from a little ago. */
  goStored() {
    if (this.mode === "stored") return;
    const { line } = this.line;
    const [first, newest] = [line.ranges[0]?.[0] ?? 0, line.ranges.at(-1)?.[1] ?? Date.now()];
    const recent = Math.max(first, newest - RECENT_MS);
    // From live: the newest seconds are not on the disk yet.
    const at = Number.isFinite(line.at) && line.at < recent ? line.at : recent;
    void this.seek(at);
  }

  /** Recordings from a moment on. @param {number} wall ms */
  async seek(wall) {
    this.#wanted = wall;
    this.line.line.moveTo(wall, true);
    this.controls.tell(wall);
    const { look } = this.keeper;
    if (this.mode === "stored" && look?.kind === "stored" && wall >= look.from && wall < look.to) {
      if (this.player.hasSource) return this.player.seek(wall);
      return this.#show(look, wall);
    }
    const from = dayStart(wall);
    const opened = await this.#open("stored", { from, to: from + DAY_MS });
    // Somebody may have gone elsewhere on the line while the purpose was asked.
    if (opened) await this.#show(opened, this.#wanted);
  }

  /** Looks through while a finger moves. @param {number} wall ms */
  async scrub(wall) {
    const { look } = this.keeper;
    const isInside = look?.kind === "stored" && wall >= look.from && wall < look.to;
    if (this.mode !== "stored" || !isInside) return;
    this.controls.tell(wall);
    await this.player.scrub(wall);
  }

  /** Shows the same again in another stream. */
  changeStream() {
    const { look } = this.keeper;
    if (this.mode === "live") void this.goLive();
    else if (look && this.mode === "stored") void this.#show(look, this.#wanted);
    else this.line.of(this.controls.wanted);
  }

  /** @param {Look} look @param {number} wall */
  async #show(look, wall) {
    if (!canPlayStored()) return this.player.clear("failed", "no-player");
    const stream = this.controls.choose(look.streams);
    if (stream === null) return this.#cannotDecode(look.streams.map(({ codec }) => codec));
    this.line.of(stream);
    await this.player.showStored(`/api/v1/looks/${look.id}/${stream}`, look, wall);
  }

  /**
   * A look, with the purpose that was given on this page before or is asked for now.
   * @param {"live" | "stored"} kind @param {{from: number, to: number} | null} range ms
   */
  async #open(kind, range) {
    const turn = ++this.#turn;
    if (this.dialog.dialog.open) return null;
    if (!this.purpose) this.player.clear("asking");
    const purpose = await this.given(t(kind === "live" ? "camera.live" : "camera.stored"));
    if (!purpose) {
      this.#become("none");
      this.player.clear("idle");
      return null;
    }
    this.player.clear("opening");
    this.#become(kind);
    try {
      const look = await this.keeper.open(kind, range, purpose);
      return turn === this.#turn ? look : null;
    } catch (error) {
      if (turn !== this.#turn) return null;
      const code = error instanceof ApiError ? error.code : "failed";
      if (code === "invalid") this.purpose = null;
      this.player.clear("failed", code);
      return null;
    }
  }

  /** The purpose that was given on this page, else asked for now. @param {string} what */
  async given(what) {
    if (!this.purpose && !this.dialog.dialog.open) this.purpose = await this.dialog.ask(what);
    this.#tellPurpose();
    return this.purpose;
  }

  #tellPurpose() {
    element("purpose-now", HTMLElement).hidden = this.purpose === null;
    const words = this.purpose ? this.dialog.words(this.purpose) : "";
    element("purpose-words", HTMLElement).textContent = words;
  }

  /** @param {CameraPage["mode"]} mode */
  #become(mode) {
    this.mode = mode;
    element("mode-live", HTMLElement).setAttribute("aria-pressed", String(mode === "live"));
    element("mode-stored", HTMLElement).setAttribute("aria-pressed", String(mode === "stored"));
    this.#goOn.hidden = true;
    this.#tellPurpose();
    this.controls.update();
  }

  async #changePurpose() {
    const was = this.mode;
    const given = await this.dialog.ask(t(was === "live" ? "camera.live" : "camera.stored"));
    if (!given) return;
    this.purpose = given;
    // What is seen from here on is logged with it.
    this.keeper.end();
    if (was === "live") void this.goLive();
    else if (was === "stored") void this.seek(this.#wanted);
  }

  #askToGoOn() {
    const at = clockText(this.keeper.look?.expires ?? Date.now());
    element("go-on-text", HTMLElement).textContent = t("camera.ends-at", { time: at });
    this.#goOn.hidden = false;
  }

  async #renew() {
    try {
      await this.keeper.renew();
      this.#goOn.hidden = true;
    } catch (error) {
      element("go-on-text", HTMLElement).textContent =
        error instanceof ApiError ? error.words : t("error.failed");
    }
  }

  /**
   * What stands in the picture.
   * @param {string} text empty: nothing
   * @param {string} [label] of the button; none without
   * @param {() => void} [does]
   */
  #say(text, label = "", does = () => {}) {
    this.#said.textContent = text;
    this.#button.hidden = label === "";
    this.#button.textContent = label;
    this.#onButton = does;
  }

  /** @param {import("./player.js").State} state @param {string} [code] */
  #tell(state, code = "failed") {
    this.controls.update();
    const again = () => (this.mode === "live" ? void this.goLive() : void this.seek(this.#wanted));
    const keys = [`player.${code}`, `error.${code}`, "error.failed"];
    const words = t(keys.find((key) => hasText(key)) ?? "");
    const isLive = this.mode === "live";
    switch (state) {
      case "idle":
        return this.#say(t("player.idle"));
      case "opening":
        return this.#say(t("player.opening"));
      case "waiting":
        return this.#say(t(hasText(`player.${code}`) ? `player.${code}` : "player.waiting"));
      case "ended":
        return this.#say(
          t(`player.ended-${code === "renew" ? "renew" : "look"}`),
          t(isLive ? "camera.live-again" : "camera.stored-again"),
          again,
        );
      case "failed":
        return this.#say(words, t("player.again"), again);
      default:
        return this.#say("");
    }
  }

  /** @param {{from: number, to: number}} gap ms; infinite where the window says no more */
  async #tellGap(gap) {
    const wall = this.#wanted;
    this.#say(t("player.gap"));
    const found = await this.line.around(wall).catch(() => null);
    if (this.player.state !== "gap" || this.#wanted !== wall) return;
    const next = Number.isFinite(gap.to) ? gap.to : (found?.next ?? null);
    let words = t("player.gap");
    if (found?.gap) {
      const [from, to, reason] = found.gap;
      const values = { from: timeText(from), to: timeText(to), reason: reasonWords(reason) };
      words = t(to > Date.now() - NEAR_MS ? "player.gap-since" : "player.gap-from-to", values);
    }
    if (next === null) this.#say(words, t("camera.live"), () => this.goLive());
    else this.#say(words, t("player.go-to", { time: timeText(next) }), () => this.seek(next + 1));
  }

  /** Nothing more is in this look. @param {number} wall where it ends */
  async #atEdge(wall) {
    const { look } = this.keeper;
    if (this.mode !== "stored") return;
    if (Date.now() - wall < LIVE_EDGE_MS) return this.goLive();
    const found = await this.line.around(wall).catch(() => null);
    if (this.keeper.look !== look) return;
    this.player.pause();
    this.player.become("ended", "edge");
    const next = found?.next ?? null;
    const text = found?.gap
      ? t("player.gap-reason", { reason: reasonWords(found.gap[2]) })
      : t("player.edge");
    if (next === null) this.#say(text, t("camera.live"), () => this.goLive());
    else this.#say(text, t("player.go-to", { time: timeText(next) }), () => this.seek(next + 1));
  }
}

const page = new CameraPage();
const asked = Number(new URLSearchParams(location.search).get("at"));
if (asked > 0 && asked <= Date.now()) void page.seek(asked);

export { CameraPage, page };
