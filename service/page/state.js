// What the page shows, its address, and its history. The address has the whole state.

import { fromJson, toJson } from "./api.js";

export const state = {
  model: null, // a Model
  point: null,
  preview: null, // what the pointer shows until it leaves
  across: "", // keys of the dials that the pointer moves
  down: "",
  locked: false, // whether the dice leave the seed alone
  from: null, // the two pinned images, as the API takes them
  to: null,
};

export const shownPoint = () => state.preview ?? state.point;

const listeners = new Set();

// `listener(kind)`: `live` while a control moves, `kept` once it rests, `model` when the model changes.
export const listen = (listener) => listeners.add(listener);

export function tell(kind) {
  for (const listener of listeners) listener(kind);
}

export function preview(point) {
  state.preview = point;
  tell("live");
}

// Move without a place in the history yet.
export function move(point) {
  state.point = point;
  state.preview = null;
  tell("live");
}

// The steps of a key that is held are one change, kept when it is let go: a history has few places.
let held = false;
let due = false;
addEventListener("keydown", (event) => (held = event.repeat), { capture: true });
addEventListener("keyup", () => {
  held = false;
  if (due) keep();
});

// Change, and remember.
export function keep(changes = {}, kind = "kept") {
  Object.assign(state, changes, { preview: null });
  due = held && kind === "kept";
  if (due) return tell("live");
  const hash = encode(state);
  if (hash !== location.hash.slice(1)) {
    past.furthest = depth() + 1;
    history.pushState({ depth: past.furthest }, "", `#${hash}`);
  }
  tell(kind);
}

export const past = { furthest: 0 };

export const depth = () => history.state?.depth ?? 0;

export function replaceAddress() {
  history.replaceState({ depth: depth() }, "", `#${encode(state)}`);
}

export function encode({ model, point, across, down, locked, from, to }) {
  const query = new URLSearchParams({ model: model.name, version: model.digest.slice(0, 12) });
  for (const [name, weight] of Object.entries(point.classes)) query.set(`class.${name}`, weight);
  for (const [name, value] of Object.entries(point.styles)) query.set(`style.${name}`, value);
  query.set("seed", point.seed);
  if (point.index) query.set("index", point.index);
  if (point.truncation < 1) query.set("truncation", point.truncation);
  if (point.noise) query.set("noise", point.noise);
  else if (point.drift.some(Boolean)) query.set("drift", point.drift);
  query.set("across", across);
  query.set("down", down);
  if (locked) query.set("locked", "1");
  if (from) query.set("from", toJson(from));
  if (to) query.set("to", toJson(to));
  return query.toString();
}

export const MOST_SEED = (1n << 63n) - 1n;
const MOST_INDEX = (1n << 62n) - 1n;
const MOST_WEIGHT = 1e6;

const numbers = (text) => text?.split(",").map(Number);
const whole = (text, most) => (/^\d{1,19}$/.test(text) && BigInt(text) <= most ? BigInt(text) : 0n);
const share = (text) => (text > 0 && text <= 1 ? Number(text) : 1);

// What an address says; it may have been written by anyone. What no image has is passed over.
export function decode(hash) {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const named = (prefix) =>
    Object.fromEntries(
      [...query].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key.slice(prefix.length), Math.min(MOST_WEIGHT, Number(value) || 0)]),
    );
  const codes = (key) => {
    try {
      const pinned = fromJson(query.get(key));
      return typeof pinned === "object" ? pinned : null;
    } catch {
      return null;
    }
  };
  const drift = numbers(query.get("drift"));
  return {
    model: query.get("model"),
    version: query.get("version"),
    point: query.has("seed") && {
      classes: named("class."),
      styles: named("style."),
      seed: whole(query.get("seed"), MOST_SEED),
      index: whole(query.get("index"), MOST_INDEX),
      truncation: share(query.get("truncation")),
      noise: numbers(query.get("noise")) ?? null,
      drift: drift?.length === 2 && drift.every(Number.isFinite) ? drift : [0, 0],
    },
    across: query.get("across"),
    down: query.get("down"),
    locked: query.has("locked"),
    from: codes("from"),
    to: codes("to"),
  };
}
