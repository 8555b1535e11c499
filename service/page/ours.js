// Whether a picture is ours: it is drawn again beside it. A pixel that is changed shows where it differs.

import { askJson, draw } from "./api.js";
import { $ } from "./dom.js";
import { readFile } from "./hand.js";
import { drawImages, layOut } from "./images.js";
import { Latest } from "./latest.js";
import { choose, servedModel } from "./models.js";
import { bitmapOf, sendable } from "./picture.js";
import { bodyOf } from "./point.js";
import { withPixels } from "./png.js";
import { pointOf } from "./space.js";
import { shownPoint, state } from "./state.js";

const checking = new Latest();
let file = null;
let pixels = null; // of the picture, as they are now
let cursor = null; // the pixel that the keys change
let again = null; // the pixels that its record draws

const context = (id) => $(id).getContext("2d", { willReadFrequently: true });

function pixelsOf(bitmap) {
  const drawn = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  drawn.drawImage(bitmap, 0, 0);
  return drawn.getImageData(0, 0, bitmap.width, bitmap.height);
}

function put(id, image) {
  Object.assign($(id), { width: image.width, height: image.height });
  context(id).putImageData(image, 0, 0);
}

// The request that draws a record again.
function requestOf(record) {
  const { n = 1, images, columns, classes = record.class, styles = record.style } = record;
  const shared = { model: `${record.model}@${record.digest.slice(0, 12)}` };
  const { seed, index, truncation, noise } = record;
  if (images?.length === 2 && n > 2) return ["v1/interpolations", { ...shared, from: codesOf(images[0]), to: codesOf(images[1]), frames: n }];
  if (images) return ["v1/images", { ...shared, items: images.map((each) => (each ? codesOf(each) : { class: {} })) }, columns];
  return ["v1/images", { ...shared, ...codesOf({ class: classes, styles, seed, index, truncation, noise }), n }, columns];
}

function codesOf({ class: classes, styles, ...rest }) {
  const body = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== null));
  if (classes && Object.keys(classes).length) body.class = classes;
  if (styles && Object.keys(styles).length) body.style = styles;
  return body;
}

// As large as the picture: each pixel `scale` wide and high.
function enlarged(image, width) {
  const scale = width / image.width;
  const from = new OffscreenCanvas(image.width, image.height);
  from.getContext("2d").putImageData(image, 0, 0);
  const to = new OffscreenCanvas(width, image.height * scale).getContext("2d");
  to.imageSmoothingEnabled = false;
  to.drawImage(from, 0, 0, width, image.height * scale);
  return to.getImageData(0, 0, width, image.height * scale);
}

async function check(signal) {
  const found = await askJson("v1/verify", { body: file, signal });
  if (found.reason === "no-record") return readAsPicture(found);
  say(found);
  let record = found.verified ? found : null;
  if (found.reason === "pixels-differ") record = await askJson("v1/codes", { body: file, signal }).catch(() => null);
  if (!record) return ($("ours-pair").hidden = true);
  const [path, body, columns] = requestOf(record);
  const model = await servedModel(`${record.model}@${record.digest.slice(0, 12)}`);
  again = enlarged(layOut(await drawImages(path, body, signal), columns), pixels.width);
  show();
  if (found.verified && !record.n && !sameCodes(record, model)) choose(model, pointOf(record, model, 0n));
}

const sameCodes = (record, model) => {
  const body = (point) => JSON.stringify(bodyOf(point, model), (_, value) => (typeof value === "bigint" ? String(value) : value));
  return state.model.label === model.label && body(pointOf(record, model, 0n)) === body(shownPoint());
};

function readAsPicture(found) {
  say(found);
  $("ours-pair").hidden = true;
  const { reading } = $("ours-said").dataset;
  if (reading === "any") readFile(file);
}

function say(found) {
  $("ours-said").dataset.verified = found.verified;
  const what = found.n > 1 ? `a sheet of ${found.n} images` : "one image";
  $("ours-said").textContent = found.verified
    ? `Yes. This is ${what} by ${found.model}, to the last pixel. Its codes are in the controls.`
    : `No. ${found.detail}`;
  if (found.n > 1 && found.verified) $("ours-said").textContent = `Yes. This is ${what} by ${found.model}, to the last pixel.`;
}

// What was said of the picture before is not true of one that cannot be read.
function forget(error) {
  if (!error.wait && error.name !== "AbortError") {
    $("ours-said").textContent = "No picture yet.";
    $("ours-pair").hidden = true;
  }
  throw error;
}

// Both pictures; each pixel that differs has a frame.
function show() {
  $("ours-pair").hidden = false;
  put("ours", pixels);
  put("again", again);
  for (let place = 0; place < pixels.width * pixels.height; place++) {
    const differs = [0, 1, 2, 3].some((part) => pixels.data[4 * place + part] !== again.data[4 * place + part]);
    if (differs) mark("again", place % pixels.width, Math.floor(place / pixels.width), "#ff7a58");
  }
  if (cursor) mark("ours", ...cursor, "#ff7a58");
}

function mark(id, x, y, colour) {
  const drawn = context(id);
  drawn.fillStyle = colour;
  drawn.fillRect(x, y, 1, 1);
}

function changePixel(x, y) {
  const place = 4 * (y * pixels.width + x);
  for (let part = 0; part < 3; part++) pixels.data[place + part] = 255 - pixels.data[place + part];
  checking.ask(async (signal) => {
    file = await withPixels(file, pixels);
    await check(signal);
  });
}

export function openFile(chosen, { reading = "ours" } = {}) {
  file = chosen;
  again = null;
  $("ours-said").dataset.reading = reading;
  checking.ask(async (signal) => {
    const bitmap = await bitmapOf(file, { premultiplyAlpha: "none" }).catch(forget);
    pixels = pixelsOf(bitmap);
    file = await sendable(file, bitmap);
    await check(signal).catch(forget);
  }, { now: true });
}

export function openOurs() {
  $("ours-file").onchange = ({ target }) => {
    if (target.files[0]) openFile(target.files[0]);
    target.value = "";
  };
  $("ours-this").onclick = async () => {
    checking.ask(async (signal) => {
      const body = { model: state.model.label, ...bodyOf(shownPoint(), state.model) };
      file = (await draw("v1/images", body, signal)).file;
      pixels = pixelsOf(await bitmapOf(file));
      await check(signal);
    }, { now: true });
  };
  $("ours").onclick = (event) => {
    const box = $("ours").getBoundingClientRect();
    const at = (offset, length, count) => Math.min(count - 1, Math.floor((offset / length) * count));
    cursor = null;
    changePixel(at(event.clientX - box.left, box.width, pixels.width), at(event.clientY - box.top, box.height, pixels.height));
  };
  $("ours").onkeydown = (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === " " && cursor) changePixel(...cursor);
    else if (event.key in steps) {
      const [right, below] = steps[event.key];
      cursor ??= [pixels.width >> 1, pixels.height >> 1];
      cursor = [(cursor[0] + right + pixels.width) % pixels.width, (cursor[1] + below + pixels.height) % pixels.height];
      show();
    } else return;
    event.preventDefault();
  };
  $("ours").onblur = () => {
    cursor = null;
    if (again) show();
  };
}
