// Sheets of the same codes: many seeds, and a traversal.

import { $, make } from "./dom.js";
import { drawImages } from "./images.js";
import { whenInView } from "./inview.js";
import { bodyOf, bodyWithout } from "./point.js";
import { keep, listen, state } from "./state.js";
import { Tiles } from "./tiles.js";

const SEEDS = 60;
const MOST_ROWS = 20;

let first = 1n;
const seeds = () => Array.from({ length: SEEDS }, (_, place) => first + BigInt(place));
const withSeed = (seed) => ({ ...state.point, seed, index: 0n, noise: null, drift: [0, 0] });

const layMany = () => many.set(seeds().map((seed) => `seed ${seed}`), state.model.image);

const many = new Tiles($("many"), (place) => keep({ point: withSeed(seeds()[place]) }));

async function paintMany(signal) {
  const { model } = state;
  const items = seeds().map((seed) => bodyOf(withSeed(seed), model));
  const images = await drawImages("v1/images", { model: model.label, items }, signal);
  layMany();
  many.paint(images);
  many.press(state.point.index ? -1 : Number(state.point.seed - first));
}

// A style code along the columns, or seeds where there is none; classes along the rows, or another style code.
function axes() {
  const { model, point } = state;
  const steps = innerWidth < 640 ? 7 : 11;
  const styles = model.space.styles;
  const style = styles.find(({ name }) => name === $("grid-style").value) ?? styles[0];
  const at = (place) => Math.round((style.low + ((style.high - style.low) * place) / (steps - 1)) * 1000) / 1000;
  const columns = style
    ? { axis: { style: style.name, steps }, name: style.name, labels: Array.from({ length: steps }, (_, k) => `${style.name} ${at(k)}`), take: (k) => ({ styles: { ...point.styles, [style.name]: at(k) } }) }
    : { axis: { seed: seeds().slice(0, steps) }, name: "the seed", labels: seeds().slice(0, steps).map((seed) => `seed ${seed}`), take: (k) => ({ seed: seeds()[k], index: 0n }) };
  const classes = model.classes.slice(0, MOST_ROWS);
  const rows = classes.length && { axis: { class: classes }, labels: classes, take: (k) => ({ classes: { [classes[k]]: 1 } }) };
  return { columns, rows, steps, style };
}

const grid = new Tiles($("grid"), (place) => {
  const { columns, rows, steps } = axes();
  const chosen = { ...state.point, ...columns.take(place % steps), ...(rows && rows.take(Math.floor(place / steps))) };
  keep({ point: chosen });
});

function layGrid() {
  const { columns, rows, steps } = axes();
  const count = steps * (rows ? rows.labels.length : 1);
  const labels = Array.from({ length: count }, (_, k) => [rows && rows.labels[Math.floor(k / steps)], columns.labels[k % steps]].filter(Boolean).join(", "));
  grid.set(labels, state.model.image);
  $("grid").style.setProperty("--columns", steps);
}

async function paintGrid(signal) {
  const { model, point } = state;
  const { columns, rows, style } = axes();
  const body = bodyWithout("class", point, model);
  if (style) delete (body.style = { ...body.style })[style.name];
  else for (const field of ["seed", "index", "noise"]) delete body[field];
  Object.assign(body, { model: model.label, columns: columns.axis }, rows && { rows: rows.axis });
  const images = await drawImages("v1/traversals", body, signal);
  layGrid();
  grid.paint(images);
}

export function openMany() {
  const seedsChange = whenInView($("many").parentElement, paintMany);
  const gridChanges = whenInView($("grid-part"), paintGrid);
  const turn = (steps) => {
    first += steps;
    $("many-back").disabled = first === 1n;
    seedsChange();
    gridChanges();
  };
  $("many-next").onclick = () => turn(BigInt(SEEDS));
  $("many-back").onclick = () => turn(-BigInt(SEEDS));
  $("grid-style").onchange = gridChanges;
  listen((kind) => {
    if (kind === "live") return;
    if (kind === "model") build();
    seedsChange();
    gridChanges();
  });
}

function build() {
  const { model } = state;
  const styles = model.space.styles.map(({ name }) => make("option", { value: name }, name));
  $("grid-style").replaceChildren(...styles);
  $("grid-style").parentElement.hidden = styles.length < 2;
  const what = styles.length ? "one style code grows" : "the seed changes";
  layMany();
  layGrid();
  $("grid-said").textContent = model.classes.length ? `Each row is a class; from left to right ${what}.` : `From left to right ${what}.`;
}
