// What a visitor takes along: requests to copy, and files.

import { draw, toJson } from "./api.js";
import { fitForm, openForm } from "./dataset.js";
import { $, make } from "./dom.js";
import { Latest } from "./latest.js";
import { bodyOf, queryOf } from "./point.js";
import { copy, save } from "./save.js";
import { encode, listen, shownPoint, state } from "./state.js";

const here = () => location.href.replace(/[?#].*$/, "");
const spaced = (value) => toJson(value).replace(/("(?:[^"\\]|\\.)*")|[:,]/g, (part, text) => text ?? `${part} `);

function curl(body) {
  return `curl -s ${here()}v1/images -H 'Content-Type: application/json' -d '${spaced(body).replaceAll("'", String.raw`'\''`)}' -o ${state.model.name}.png`;
}

function python({ class: classes, ...body }) {
  const named = classes === undefined ? body : { ...body, class_: classes };
  const given = Object.entries(named).map(([name, value]) => `${name}=${spaced(value)}`);
  return `from faussaire import Client\n\nwith Client("${here()}") as client:\n    image = client.image(${given.join(", ")})`;
}

function tag(query) {
  if (!query) return "GET /v1/image draws one class and the noise of a seed; this image has a blend, or other noise.";
  const escaped = `${here()}v1/image?${query}`.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
  return `<img src="${escaped}&amp;scale=4" alt="">`;
}

const ROWS = {
  curl: (body) => curl(body),
  Python: (body) => python(body),
  link: () => `${here()}#${encode({ ...state, point: shownPoint() })}`,
  "<img>": (_, query) => tag(query),
};

const codes = {};

function showCopies() {
  const { model } = state;
  const body = { model: model.label, ...bodyOf(shownPoint(), model) };
  for (const [name, text] of Object.entries(ROWS)) codes[name].textContent = text(body, queryOf(shownPoint(), model));
}

async function saveImages(points, name, format, scale) {
  const items = points.map((point) => bodyOf(point, state.model));
  const { file } = await draw("v1/images", { model: state.model.label, ...(items.length > 1 ? { items } : items[0]), format, scale });
  save(file, `${name}.png`);
}

export function openTake() {
  for (const name of Object.keys(ROWS)) {
    codes[name] = make("code", { tabIndex: 0, id: `copy-${name.replace(/\W/g, "")}`, ariaLabel: name, role: "textbox", ariaReadOnly: "true" });
    const button = make("button", { type: "button", ariaLabel: `Copy ${name}`, onclick: () => copy(codes[name], button) }, "Copy");
    $("copies").append(make("div", {}, make("span", {}, name), codes[name], button));
  }
  const saving = new Latest();
  const scale = () => Number($("take-scale").value);
  $("take-image").onclick = () => saving.ask(() => saveImages([shownPoint()], state.model.name, "png", scale()));
  $("take-sheet").onclick = () => {
    const points = state.model.classes.map((name) => ({ ...shownPoint(), classes: { [name]: 1 } }));
    saving.ask(() => saveImages(points.slice(0, state.model.mostItems), `${state.model.name}-classes`, "sheet", scale()));
  };
  openForm();
  listen((kind) => {
    if (kind === "live") return;
    if (kind === "model") fitForm(state.model);
    $("take-sheet").hidden = !state.model.classes.length;
    showCopies();
  });
}
