// The page of alarms works without script; with it the two pictures of a camera's trouble stand there
// beside each other, once somebody has said why he looks.

import { PurposeDialog } from "./purpose.js";
import { showTroubles } from "./trouble_pictures.js";

const dialog = document.getElementById("purpose");
if (dialog instanceof HTMLDialogElement) {
  const purposes = new PurposeDialog(dialog);
  showTroubles((what) => purposes.ask(what));
}
