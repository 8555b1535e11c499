// The codes of the one image: class, dials, pad, seed.

import { $, clamp, make, short } from "./dom.js";
import { drawImages, layOut, showImage } from "./images.js";
import { Latest } from "./latest.js";
import { bodyOf } from "./point.js";
import { MOST_SEED, keep, listen, move, shownPoint, state } from "./state.js";

const PAD = 7;
const STEPS = 100;

const pad = new Latest();
const shown = []; // functions that show a point in their control

const rounded = (value) => Math.round(value * 1000) / 1000;

function slider(name, low, high, { get, set }, ...notes) {
  const input = make("input", { type: "range", min: low, max: high, step: (high - low) / STEPS, ariaLabel: name });
  const output = make("output");
  const label = make("div", { className: "dial" }, make("span", {}, name), input, output);
  if (notes.length) label.append(make("small", {}, ...notes.map((note) => make("span", {}, note))));
  input.oninput = () => move(set(state.point, rounded(input.valueAsNumber)));
  input.onchange = () => keep();
  shown.push((point) => {
    const value = get(point);
    if (rounded(input.valueAsNumber) !== value) input.value = value;
    output.textContent = short(value);
  });
  return label;
}

function classChip({ name, purity }) {
  const title = purity === null || purity === undefined ? "" : `A classifier calls ${Math.round(purity * 1000) / 10} % of its images ${name}.`;
  const chip = make("button", { type: "button", title }, name);
  chip.onclick = () => keep({ point: { ...state.point, classes: { [name]: 1 } } });
  shown.push((point) => (chip.ariaPressed = String((point.classes[name] ?? 0) > 0)));
  return chip;
}

const weight = (name) => ({
  get: (point) => point.classes[name] ?? 0,
  set: (point, value) => {
    const { [name]: _, ...others } = point.classes;
    const rest = Object.values(others).some((other) => other > 0);
    return value > 0 || !rest ? { ...point, classes: { ...others, [name]: value || 1 } } : { ...point, classes: others };
  },
});

function build(model) {
  shown.length = 0;
  $("class-field").hidden = !model.classes.length;
  $("classes").replaceChildren(...model.codes.map(classChip));
  $("weights").replaceChildren(...model.classes.map((name) => slider(name, 0, 1, weight(name))));
  $("dials").replaceChildren(
    ...model.dials.map((dial) => slider(dial.name, dial.low, dial.high, dial, short(dial.low), dial.effect ?? "", short(dial.high))),
  );
  for (const axis of ["across", "down"]) {
    $(axis).replaceChildren(...model.dials.map((dial) => make("option", { value: dial.key }, dial.name)));
  }
}

function show() {
  const point = shownPoint();
  for (const each of shown) each(point);
  if (document.activeElement !== $("seed")) {
    $("seed").value = point.seed;
    $("seed").setCustomValidity("");
  }
  $("lock").ariaPressed = String(state.locked);
  $("lock").textContent = state.locked ? "Locked" : "Lock";
  $("dice").disabled = state.locked;
  const [across, down] = axes();
  $("across").value = across.key;
  $("down").value = down.key;
  const share = (dial) => (dial.get(point) - dial.low) / (dial.high - dial.low);
  $("pad-dot").style.setProperty("--x", share(across));
  $("pad-dot").style.setProperty("--y", 1 - share(down));
  $("pad-said").textContent = `${across.name} → and ${down.name} ↑`;
  $("pad").ariaValueNow = Math.round(share(across) * 100);
  $("pad").ariaValueText = `${across.name} ${short(across.get(point))}, ${down.name} ${short(down.get(point))}`;
}

const axes = () => [state.model.dial(state.across), state.model.dial(state.down)];

// The point at these shares of the ranges of both codes.
function pointAt(x, y) {
  const [across, down] = axes();
  const at = (dial, share) => rounded(dial.low + (dial.high - dial.low) * clamp(share, 0, 1));
  return down.set(across.set(state.point, at(across, x)), at(down, y));
}

// What lies where on the pad.
async function paintPad(signal) {
  const { model } = state;
  const side = Math.min(PAD, Math.floor(Math.sqrt(model.mostItems)));
  const items = Array.from({ length: side * side }, (_, place) => {
    const [column, row] = [place % side, Math.floor(place / side)];
    return bodyOf(pointAt((column + 0.5) / side, 1 - (row + 0.5) / side), model);
  });
  showImage($("pad-map"), layOut(await drawImages("v1/images", { model: model.label, items }, signal), side));
}

function openPad() {
  const follow = (event) => {
    const box = $("pad").getBoundingClientRect();
    move(pointAt((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height));
  };
  $("pad").onpointerdown = (event) => {
    $("pad").setPointerCapture(event.pointerId);
    follow(event);
  };
  $("pad").onpointermove = (event) => $("pad").hasPointerCapture(event.pointerId) && follow(event);
  $("pad").onpointerup = () => keep();
  $("pad").onkeydown = (event) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    let point = state.point;
    axes().forEach((dial, place) => {
      const step = (steps[event.key][place] * (dial.high - dial.low)) / 20;
      point = dial.set(point, rounded(clamp(dial.get(point) + step, dial.low, dial.high)));
    });
    keep({ point });
  };
}

export const randomSeed = () => BigInt(crypto.getRandomValues(new Uint32Array(1))[0]);

function setSeed(seed) {
  keep({ point: { ...state.point, seed, index: 0n, noise: null, drift: [0, 0] } });
}

export function roll() {
  if (!state.locked) setSeed(randomSeed());
}

export function openControls() {
  openPad();
  $("dice").onclick = roll;
  $("lock").onclick = () => keep({ locked: !state.locked });
  $("seed").onchange = () => {
    const seed = $("seed").value.trim();
    const valid = /^\d{1,19}$/.test(seed) && BigInt(seed) <= MOST_SEED;
    $("seed").setCustomValidity(valid ? "" : "A seed is a whole number from 0 to 2^63 - 1.");
    if ($("seed").reportValidity()) setSeed(BigInt(seed));
  };
  for (const axis of ["across", "down"]) {
    $(axis).onchange = () => {
      const other = axis === "across" ? "down" : "across";
      const swapped = $(axis).value === state[other] ? { [other]: state[axis] } : {};
      keep({ [axis]: $(axis).value, ...swapped });
    };
  }
  document.addEventListener("painted", show);
  listen((kind) => {
    if (kind === "model") build(state.model);
    if (!state.preview) show();
    if (kind !== "live") pad.ask(paintPad, { now: true });
  });
}
