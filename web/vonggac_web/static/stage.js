// Where pictures are shown: video elements one above the other, of which the newest that has a
// picture is seen. No sound, nothing to save, nothing to take elsewhere.

/** @param {string} kind `stored`, `live` or `keys` */
function newVideo(kind) {
  const video = document.createElement("video");
  video.className = kind;
  video.muted = true;
  video.playsInline = true;
  video.disablePictureInPicture = true;
  video.disableRemotePlayback = true;
  video.tabIndex = -1;
  video.setAttribute("controlslist", "nodownload nofullscreen noremoteplayback");
  video.addEventListener("contextmenu", (event) => event.preventDefault());
  return video;
}

export class Stage {
  element = document.createElement("div");
  /** Key frames, above all others while somebody searches. */
  keys = newVideo("keys");

  constructor() {
    this.element.className = "stage";
    this.element.append(this.keys);
  }

  /** @param {"stored" | "live"} kind */
  add(kind) {
    const video = newVideo(kind);
    this.element.insertBefore(video, this.keys);
    return video;
  }

  // Never display: none, for which browsers decode but do not tell of a picture.
  get isOnKeys() {
    return this.keys.classList.contains("shown");
  }

  set isOnKeys(isOn) {
    this.keys.classList.toggle("shown", isOn);
  }

  /** Takes all pictures away. */
  clear() {
    this.isOnKeys = false;
    for (const video of this.element.querySelectorAll("video")) {
      if (video !== this.keys) video.remove();
    }
  }
}
