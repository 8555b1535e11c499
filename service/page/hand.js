// A drawing or a photograph: what the service saw, what it read, and every class in that hand.

import { askJson } from "./api.js";
import { $, make, percent, short } from "./dom.js";
import { drawImages } from "./images.js";
import { Latest } from "./latest.js";
import { choose, modelWithRecogniser } from "./models.js";
import { bitmapOf, sendable } from "./picture.js";
import { bodyOf } from "./point.js";
import { pointOf } from "./space.js";
import { listen, state } from "./state.js";
import { Tiles } from "./tiles.js";

const PEN = 22;
const KEY_STEP = 10;
const GUESSES = 3;

const canvas = $("hand");
const pen = canvas.getContext("2d", { willReadFrequently: true });
const reading = new Latest();
let at = null; // where the pen is
let down = false; // whether the keys draw
let read = null; // {model, points}: what was read last

const tiles = new Tiles($("hand-all"), (place) => take(read.points[place]));

const take = (point) => choose(read.model, point);

const colour = (name) => getComputedStyle(canvas).getPropertyValue(name);

function clear() {
  pen.fillStyle = colour("--field");
  pen.fillRect(0, 0, canvas.width, canvas.height);
  reading.stop();
  at = null;
  $("hand-read").replaceChildren(make("p", { className: "quiet" }, "Draw here."));
  $("hand-film").hidden = true;
}

function line(x, y) {
  Object.assign(pen, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: colour("--ink") });
  pen.beginPath();
  pen.moveTo(...(at ?? [x, y]));
  pen.lineTo(x, y);
  pen.stroke();
  at = [x, y];
  reading.ask(readDrawing);
}

async function readDrawing(signal) {
  const file = await new Promise((resolve) => canvas.toBlob(resolve));
  await readPicture(file, signal);
}

// Read any picture as an image of the shown model, or of another of the same data that reads pictures.
async function readPicture(file, signal) {
  const model = modelWithRecogniser();
  let codes;
  try {
    codes = await askJson(`v1/codes?model=${encodeURIComponent(model.label)}`, { body: file, signal });
  } catch (error) {
    if (error.wait || error.name === "AbortError") throw error;
    $("hand-read").replaceChildren(make("p", {}, error.message));
    return;
  }
  const point = pointOf(codes, model, state.point.seed);
  const points = (model.classes.length ? model.classes : [null]).map((name) => ({ ...point, classes: name === null ? {} : { [name]: 1 } }));
  const items = points.slice(0, model.mostItems).map((each) => bodyOf(each, model));
  const images = await drawImages("v1/images", { model: model.label, items }, signal);
  read = { model, points };
  await showRead(codes, model, point);
  $("hand-film").hidden = false;
  tiles.set(model.classes.length ? model.classes : ["image"], model.image, { captions: true });
  tiles.paint(images);
}

async function showRead(codes, model, point) {
  const parts = [];
  if (codes.framed) {
    const seen = make("canvas", { ...sizeOf(model), role: "img", ariaLabel: "What the service saw" });
    const bytes = Uint8Array.from(atob(codes.framed), (letter) => letter.charCodeAt(0));
    seen.getContext("2d").drawImage(await createImageBitmap(new Blob([bytes], { type: "image/png" })), 0, 0);
    const { width, height } = model.image;
    parts.push(make("figure", {}, seen, make("figcaption", { className: "quiet" }, `What ${model.name} saw: ${width} × ${height} pixels.`)));
  } else parts.push(make("p", { className: "quiet" }, "This picture is ours: its record has the codes."));
  const best = Object.entries(codes.classes).sort(([, a], [, b]) => b - a).slice(0, GUESSES);
  if (best.length) parts.push(make("p", { className: "verdict", id: "hand-class" }, `${best[0][0]}, ${percent(best[0][1])} sure`));
  parts.push(make("div", { className: "sure" }, ...best.flatMap(bar)));
  const styles = Object.entries(codes.styles).map(([name, value]) => `${name} ${short(value)}`);
  if (styles.length) parts.push(make("p", {}, styles.join(" · ")));
  parts.push(make("p", {}, make("button", { type: "button", onclick: () => take(point) }, "Take these codes")));
  $("hand-read").replaceChildren(...parts);
}

const sizeOf = ({ image: { width, height } }) => ({ width, height });

function bar([name, share]) {
  const full = make("i");
  full.style.setProperty("--share", share);
  return [make("span", {}, name), make("span", {}, full), make("span", {}, percent(share))];
}

// Show a picture that was chosen or dropped in the drawing's place, and read it.
export function readFile(file) {
  clear();
  const read = async (signal) => {
    const bitmap = await bitmapOf(file);
    place(bitmap);
    await readPicture(await sendable(file, bitmap), signal);
  };
  reading.ask(read, { now: true });
  $("hand-part").scrollIntoView({ block: "start" });
}

function place(bitmap) {
  const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  pen.imageSmoothingEnabled = scale < 1;
  pen.drawImage(bitmap, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}

function drawByKeys(event) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === " ") down = !down;
  else if (!(event.key in steps)) return;
  event.preventDefault();
  const [x, y] = at ?? [canvas.width / 2, canvas.height / 2];
  const [right, below] = steps[event.key] ?? [0, 0];
  const next = [x + right * KEY_STEP, y + below * KEY_STEP];
  at = [x, y];
  if (down) line(...next);
  else at = next;
  canvas.ariaDescription = `${down ? "Drawing" : "Pen up"} at ${next.join(", ")}`;
}

export function openHand() {
  clear();
  const position = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  };
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    at = null;
    line(...position(event));
  };
  canvas.onpointermove = (event) => canvas.hasPointerCapture(event.pointerId) && line(...position(event));
  canvas.onkeydown = drawByKeys;
  $("hand-clear").onclick = clear;
  $("hand-file").onchange = ({ target }) => {
    if (target.files[0]) readFile(target.files[0]);
    target.value = "";
  };
  listen((kind) => kind === "model" && ($("hand-part").hidden = !modelWithRecogniser()));
}
