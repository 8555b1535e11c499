// All classes, drawn large: they move under the pointer. The one that is chosen is drawn below, larger.

import { $, short } from "./dom.js";
import { drawImages, showImage } from "./images.js";
import { Latest } from "./latest.js";
import { bodyOf } from "./point.js";
import { onlyClass } from "./space.js";
import { keep, listen, preview, shownPoint, state } from "./state.js";
import { Tiles } from "./tiles.js";

const MOST = 40;
const WITHOUT_CLASSES = 10;

const latest = new Latest();
const tiles = new Tiles($("stage-tiles"), choose);

function points(point, model) {
  const most = Math.min(MOST, model.mostItems - 1);
  if (model.classes.length) return model.classes.slice(0, most).map((name) => ({ ...point, classes: { [name]: 1 } }));
  const first = point.index - (point.index % BigInt(WITHOUT_CLASSES));
  return Array.from({ length: Math.min(WITHOUT_CLASSES, most) }, (_, place) => ({ ...point, index: first + BigInt(place) }));
}

const labelOf = (point) => onlyClass(point) ?? `image ${point.index}`;

const lay = (drawn) => tiles.set(drawn.map(labelOf), state.model.image, { captions: true });

async function paint(signal) {
  const { model } = state;
  const shown = shownPoint();
  const drawn = points(shown, model);
  const items = [...drawn, shown].map((point) => bodyOf(point, model));
  const images = await drawImages("v1/images", { model: model.label, items }, signal);
  if (state.model !== model) return;
  lay(drawn);
  tiles.paint(images);
  tiles.press(drawn.findIndex((point) => labelOf(point) === labelOf(shown)));
  showImage($("one"), images.at(-1));
  showRulers();
  document.dispatchEvent(new Event("painted"));
}

function choose(place) {
  const point = points(shownPoint(), state.model)[place];
  keep({ point: state.model.classes.length ? point : { ...shownPoint(), index: point.index } });
}

// Where the pointer is: the least of both codes is at the left and at the foot.
function follow(event) {
  const box = $("stage-frame").getBoundingClientRect();
  const share = [(event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height];
  let point = state.point;
  for (const [place, key] of [state.across, state.down].entries()) {
    const dial = state.model.dial(key);
    const value = dial.low + (dial.high - dial.low) * Math.min(1, Math.max(0, share[place]));
    point = dial.set(point, Math.round(value * 1000) / 1000);
  }
  preview(point);
}

function showRulers() {
  for (const axis of ["across", "down"]) {
    const dial = state.model.dial(state[axis]);
    const value = dial.get(shownPoint());
    $(`${axis}-value`).textContent = short(value);
    $(`${axis}-low`).textContent = short(dial.low);
    $(`${axis}-high`).textContent = short(dial.high);
    const share = (value - dial.low) / (dial.high - dial.low);
    $(`${axis}-line`).style.setProperty("--at", share);
    $(`cross-${axis}`).style.setProperty("--at", axis === "across" ? share : 1 - share);
  }
  $("stage-frame").classList.toggle("moving", state.preview !== null);
}

const OTHERS = { phone: 230, desk: 310 }; // pixels above and below the images
const PHONE = 640;
const SLOP = 8; // pixels that a finger may move while it taps
const CAPTION = 24;

// As many columns as make the tiles largest, leave few places empty, and fill the width.
function layOut() {
  const { width, height } = state.model.image;
  const count = points(state.point, state.model).length;
  const others = innerWidth < PHONE ? OTHERS.phone : OTHERS.desk;
  const room = [$("stage-frame").clientWidth, Math.max(300, innerHeight - others)];
  const rows = (columns) => Math.ceil(count / columns);
  const merit = (columns) => {
    const side = Math.min(room[0] / columns / width, (room[1] / rows(columns) - CAPTION) / height);
    const filled = count / columns / rows(columns);
    return side * filled ** 1.25 * ((side * width * columns) / room[0]);
  };
  const merits = Array.from({ length: count }, (_, place) => merit(place + 1));
  const columns = 1 + merits.indexOf(Math.max(...merits));
  $("stage-tiles").style.setProperty("--columns", columns);
  $("stage-tiles").style.setProperty("--shape", (columns * width) / (rows(columns) * height));
}

function sayHow() {
  const [across, down] = [state.across, state.down].map((key) => state.model.dial(key).name);
  const touch = matchMedia("(hover: none)").matches; // a finger that starts upwards scrolls the page
  const [how, end] = touch ? ["Drag, sideways first", "Tap to choose."] : ["Move the pointer", "Click to keep."];
  $("lead").textContent = `Nobody drew these. ${how}: ${across} to the right, ${down} upwards. ${end}`;
}

export function openStage() {
  const frame = $("stage-frame");
  let start = null;
  frame.addEventListener("pointerdown", (event) => (start = event));
  frame.addEventListener("pointermove", (event) => {
    const dragged = () => event.pressure > 0 && Math.hypot(event.clientX - start?.clientX, event.clientY - start?.clientY) > SLOP;
    if (event.pointerType === "mouse" || state.preview || dragged()) follow(event);
  });
  frame.addEventListener("pointerleave", () => state.preview && preview(null));
  frame.addEventListener("pointercancel", () => state.preview && preview(null));
  frame.addEventListener("pointerup", (event) => {
    if (event.pointerType !== "mouse" && state.preview) keep({ point: state.preview });
  });
  addEventListener("resize", () => state.model && layOut());
  listen((kind) => {
    latest.ask(paint, { now: kind !== "live" });
    if (!state.preview) showRulers(); // under the pointer they move with the images
    if (kind === "live") return;
    lay(points(shownPoint(), state.model));
    layOut();
    sayHow();
  });
}
