// The state of the box, drawn anew by the server every few seconds while somebody sees it.

const EVERY_MS = 5000;

/** The page again, without its frame; null when the box does not answer. */
async function drawnAnew() {
  try {
    const response = await fetch("/status", {
      credentials: "same-origin",
      headers: { "Vonggac-Poll": "1" }, // nobody is there for that: it keeps no session alive
    });
    if (response.redirected) location.assign("/sign-in?next=/status");
    if (response.redirected || !response.ok) return null;
    return new DOMParser().parseFromString(await response.text(), "text/html");
  } catch (error) {
    console.warn(error);
    return null;
  }
}

async function refresh() {
  if (document.visibilityState === "visible") {
    const page = await drawnAnew();
    for (const id of page === null ? [] : ["at", "status"]) {
      const fresh = page?.getElementById(id);
      const here = document.getElementById(id);
      // Whoever has marked a text, such as the chain's hash, keeps his mark.
      if (fresh && here && document.getSelection()?.isCollapsed !== false) {
        here.replaceChildren(...fresh.childNodes);
      }
    }
  }
  window.setTimeout(refresh, EVERY_MS);
}

window.setTimeout(refresh, EVERY_MS);
