// Which models are served, which one is shown, and what happens when one is replaced.

import { Refused, askJson } from "./api.js";
import { $, make, percent } from "./dom.js";
import { drawImages, layOut, showImage } from "./images.js";
import { Latest } from "./latest.js";
import { action, onKind, say } from "./notice.js";
import { Model, firstPoint, fitPoint } from "./space.js";
import { decode, keep, listen, replaceAddress, state, tell } from "./state.js";

const LOOK_MS = 15_000;
const SAMPLES = 16;

let models = [];
let serial = ""; // what was served when the list was shown

async function load() {
  models = (await askJson("v1/models")).models.map((entry) => new Model(entry));
  if (!models.length) throw new Refused("none", "The service has no model to show.", LOOK_MS / 1000);
}

// One version, by `NAME@` and 12 digits; the same object for the same version.
export async function servedModel(label) {
  if (state.model?.label === label) return state.model;
  return models.find((model) => model.label === label) ?? new Model(await askJson(`v1/models/${encodeURIComponent(label)}`));
}

// The shown model if it reads pictures, or another of the same data, or any.
export function modelWithRecogniser() {
  const reading = models.filter((model) => model.recogniser);
  if (state.model.recogniser) return state.model;
  return reading.find((model) => model.card.data.name === state.model.card.data.name) ?? reading[0];
}

function show(model, { point, across, down, ...pins } = {}) {
  if (model.name !== state.model?.name) Object.assign(state, { from: null, to: null, across: "", down: "" });
  Object.assign(state, pins, { model, preview: null });
  state.point = fitPoint(point || state.point || firstPoint(model), model);
  state.across = model.dial(across ?? state.across)?.key ?? model.dials[0].key;
  state.down = model.dial(down ?? state.down)?.key ?? model.dials[1].key;
  if (state.across === state.down) state.down = model.dials.find((dial) => dial.key !== state.across).key;
}

// Show what an address says. A version that is gone is replaced by the one that its name means now.
export async function restore(hash, { again = false } = {}) {
  const { model: name, version, ...asked } = decode(hash);
  let model = models.find((each) => each.name === name);
  if (model && version && !model.digest.startsWith(version)) {
    const found = await servedModel(`${name}@${version}`).catch(() => null);
    if (!found) say(`${name} was replaced: version ${version} is no longer served. This is ${model.label}.`);
    model = found ?? model;
  } else if (!model && name) say(`There is no model ${name} here.`);
  show(model ?? models.find((each) => each.isDefault) ?? models[0], asked);
  if (!again) return keep({}, "model");
  replaceAddress();
  tell("model");
}

export function choose(model, point) {
  show(model, { point });
  keep({}, "model");
}

// The list, each model with a sheet of samples.
function list() {
  serial = JSON.stringify(models.map(({ digest, versions }) => [digest, versions]));
  const samples = new Latest();
  const waiting = [];
  $("model-list").replaceChildren(
    ...models.map((model) => {
      const canvas = make("canvas", { width: 1, height: 1, ariaHidden: "true" });
      const { width, height, channels } = model.image;
      const words = `${model.classes.length || "no"} classes, ${model.space.styles.length || "no"} style codes, ${width}\u00a0×\u00a0${height}${channels > 1 ? " in colour" : ""}`;
      waiting.push([model, canvas]);
      return make("button", { type: "button", className: "model", onclick: () => choose(model) }, canvas, make("b", {}, model.name), make("small", {}, words));
    }),
  );
  const next = () => {
    const [model, canvas] = waiting.shift() ?? [];
    if (model) samples.ask((signal) => paintSamples(model, canvas, signal).then(next));
  };
  next();
  showChosen();
}

async function paintSamples(model, canvas, signal) {
  showImage(canvas, layOut(await drawImages("v1/images", { model: model.label, n: SAMPLES, seed: 1 }, signal)));
}

function showChosen() {
  [...$("model-list").children].forEach((button, place) => (button.ariaPressed = String(models[place].name === state.model.name)));
  const { versions, digest, name } = state.model;
  $("versions").hidden = versions.length < 2;
  $("version").replaceChildren(
    ...versions.map((version) => {
      const role = version.weight ? `${version.role}, ${percent(version.weight)} of the seeds` : version.role;
      return make("option", { value: version.digest, selected: version.digest === digest }, `${name}@${version.digest.slice(0, 12)} (${role})`);
    }),
  );
}

// Look again: has a model been added, replaced or removed?
async function look() {
  await load();
  if (JSON.stringify(models.map(({ digest, versions }) => [digest, versions])) !== serial) list();
  const now = models.find((model) => model.name === state.model.name);
  if (!now) {
    say(`${state.model.name} is no longer served.`);
    return choose(models.find((model) => model.isDefault) ?? models[0]);
  }
  const served = now.versions.some((version) => version.digest === state.model.digest);
  if (!served) {
    say(`${now.name} was replaced. This is the new version, ${now.label}.`);
    return choose(now);
  }
  const stable = now.digest !== state.model.digest && state.model.version?.role === "stable";
  if (stable) say(`${now.name} has a new version, ${now.label}.`, "note", action("Show it", () => choose(now)));
  state.model.versions = now.versions;
  showChosen();
}

export async function openModels() {
  const looking = new Latest();
  const again = () => looking.ask(look);
  for (const kind of ["unknown-model", "other-version"]) onKind(kind, again);
  const chosen = () => `${state.model.name}@${$("version").value.slice(0, 12)}`;
  $("version").onchange = () => looking.ask(async () => choose(await servedModel(chosen())), { now: true });
  listen((kind) => kind !== "live" && showChosen());
  const first = new Latest();
  first.ask(async () => {
    await load();
    $("main").hidden = false; // until now its controls have nothing to move
    await restore(location.hash, { again: true });
    document.addEventListener("painted", list, { once: true });
    setInterval(() => document.hidden || again(), LOOK_MS);
    document.addEventListener("visibilitychange", () => document.hidden || again());
  });
}
