// How many alarms are open, beside their name in every page's head.

import { api } from "./api.js";
import { number, t } from "./page.js";

const EVERY_MS = 30_000;
const count = document.getElementById("open-alarms");

async function refresh() {
  if (count !== null && document.visibilityState === "visible") {
    try {
      const { open } = await api("GET", "/api/v1/alarms/open", undefined, { isPoll: true });
      count.hidden = open === 0;
      count.textContent = number(open);
      count.title = t("alarms-open", { count: open });
    } catch (error) {
      count.hidden = true; // an old number would be none
      console.warn(error);
    }
  }
  window.setTimeout(refresh, EVERY_MS);
}

refresh();
