// The history: undo, redo, and a strip of the images that were shown.

import { $, make } from "./dom.js";
import { depth, encode, listen, past, state } from "./state.js";

const MOST = 24;

let due = false;
const seen = new Set();

function showButtons() {
  $("undo").disabled = depth() === 0;
  $("redo").disabled = depth() >= past.furthest;
}

// A picture of what was kept, once it is painted.
function remember(restore) {
  if (!due || state.preview) return;
  due = false;
  const hash = encode(state);
  if (seen.has(hash)) return;
  seen.add(hash);
  const { width, height } = $("one");
  const canvas = make("canvas", { width, height });
  canvas.getContext("2d").drawImage($("one"), 0, 0);
  $("strip").prepend(make("button", { type: "button", ariaLabel: `Earlier image ${seen.size}`, onclick: () => restore(hash) }, canvas));
  if ($("strip").children.length > MOST) $("strip").lastChild.remove();
}

// `restore(hash)` shows the state of an address.
export function openPast(restore) {
  $("undo").onclick = () => depth() > 0 && history.back();
  $("redo").onclick = () => depth() < past.furthest && history.forward();
  addEventListener("popstate", () => restore(location.hash, { again: true }));
  document.addEventListener("painted", () => remember(restore));
  listen((kind) => {
    due ||= kind !== "live";
    showButtons();
  });
}
