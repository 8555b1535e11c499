// The line at the foot of the page: what is wrong, and what the last drawing cost.

import { onCost } from "./api.js";
import { $, make } from "./dom.js";

const PARTS = { queue: "queue", inference: "inference", encode: "encoding", way: "way" };

const handlers = new Map();
const waiting = new Set(); // who waits to ask again
let shown = null;
let failed = null; // who said the error that is shown

// `handle(error)` is called at errors of this kind, instead of a notice.
export const onKind = (kind, handle) => handlers.set(kind, handle);

// All is well again with one who waited or failed.
export function recover(who) {
  if (waiting.delete(who) && !waiting.size && shown === "wait") say("");
  if (failed === who && shown === "error") say("");
}

// Say what went wrong. Returns whether `who` is to ask again.
export function report(error, who) {
  if (handlers.has(error.kind)) {
    handlers.get(error.kind)(error);
    return false;
  }
  if (error.wait) waiting.add(who);
  else failed = who;
  const again = error.wait ? ` Trying again in ${error.wait} s.` : "";
  say((error.kind === "busy" ? "The service is busy." : error.message) + again, error.wait ? "wait" : "error");
  return true;
}

export function say(text, kind = "note", ...actions) {
  if (kind === shown && $("notice-text").textContent === text) return;
  shown = text && kind;
  $("notice").dataset.kind = kind;
  $("notice-text").textContent = text;
  $("notice-actions").replaceChildren(...actions, ...(kind === "wait" ? [] : [action("Close", () => say(""))]));
  $("notice").hidden = !text;
}

export const action = (text, onclick) => make("button", { type: "button", onclick }, text);

onCost((cost) => {
  const total = Object.values(cost).reduce((sum, ms) => sum + ms, 0);
  const known = Object.keys(PARTS).filter((part) => cost[part] !== undefined);
  $("cost-text").textContent = `${total.toFixed(1)} ms`;
  $("cost").title = known.map((part) => `${PARTS[part]} ${cost[part].toFixed(2)} ms`).join(" · ");
  $("cost-detail").textContent = known.map((part) => `${PARTS[part]} ${cost[part].toFixed(1)}`).join(" · ");
  for (const part of known) $(`cost-${part}`).style.flexGrow = cost[part] / total;
});
