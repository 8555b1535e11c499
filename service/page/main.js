// Opens the parts of the page.

import { openControls, roll } from "./controls.js";
import { $ } from "./dom.js";
import { openHand } from "./hand.js";
import { openMany } from "./many.js";
import { openModels, restore } from "./models.js";
import { openFile, openOurs } from "./ours.js";
import { openPast } from "./past.js";
import { openStage } from "./stage.js";
import { keep, state } from "./state.js";
import { openTake } from "./take.js";
import { openWay } from "./way.js";

function openKeys() {
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=range]), select, [role=application], [role=textbox]");
    if (typing || !state.model || event.altKey) return;
    if (event.ctrlKey || event.metaKey) {
      if (event.key.toLowerCase() === "z") $(event.shiftKey ? "redo" : "undo").click();
      return;
    }
    const { classes } = state.model;
    const place = /^\d$/.test(event.key) ? (Number(event.key) + 9) % 10 : -1; // as on the keyboard, 0 is the tenth
    const name = classes.includes(event.key) ? event.key : classes[place];
    if (event.key === "r") roll();
    else if (event.key === "u") $("undo").click();
    else if (name !== undefined) keep({ point: { ...state.point, classes: { [name]: 1 } } });
  });
}

// A picture may be dropped or pasted anywhere: if it has no record of ours, it is read as a drawing.
function openDrop() {
  const given = (data) => [...data.files].find((file) => file.type.startsWith("image/")) ?? data.files[0];
  const show = (shown) => ($("drop").hidden = !shown);
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    show(true);
  });
  addEventListener("dragleave", (event) => event.relatedTarget || show(false));
  addEventListener("drop", (event) => {
    show(false);
    const file = given(event.dataTransfer);
    if (!file) return;
    event.preventDefault();
    if (state.model) openFile(file, { reading: "any" });
  });
  addEventListener("paste", (event) => {
    const file = given(event.clipboardData);
    if (file && state.model) openFile(file, { reading: "any" });
  });
}

openPast(restore);
openStage();
openControls();
openMany();
openWay();
openHand();
openOurs();
openTake();
openKeys();
openDrop();
openModels();
