// A model as `/v1/models` describes it, and the dials that move its codes.

import { clamp } from "./dom.js";
import { noiseBound } from "./noise.js";

export class Model {
  constructor({ digest, default: isDefault, card, versions, recogniser }) {
    Object.assign(this, { digest, isDefault, card, versions, recogniser });
    this.name = card.name;
    this.image = card.image;
    this.space = card.space;
    const byName = (one, other) => one.name.localeCompare(other.name, "en", { numeric: true });
    this.codes = card.space.classes.toSorted(byName);
    this.classes = this.codes.map((code) => code.name);
    this.dials = dialsOf(card.space);
  }

  // The name of this very version, which means the same for ever.
  get label() {
    return `${this.name}@${this.digest.slice(0, 12)}`;
  }

  get version() {
    return this.versions.find((version) => version.digest === this.digest);
  }

  // How many images one request may ask for without being too long, if each has noise of its own.
  get mostItems() {
    return Math.floor(60_000 / (8 * this.space.noise_size + 100));
  }

  dial(key) {
    return this.dials.find((dial) => dial.key === key);
  }
}

function dialsOf(space) {
  const styles = space.styles.map((style) => ({
    key: `style.${style.name}`,
    name: style.name,
    low: style.low,
    high: style.high,
    effect: style.effect && `measured ${style.effect}`,
    get: (point) => point.styles[style.name],
    set: (point, value) => ({ ...point, styles: { ...point.styles, [style.name]: value } }),
  }));
  const walk = (key, name, place, effect) => ({
    key,
    name,
    low: -1,
    high: 1,
    effect,
    get: (point) => point.drift[place],
    set: (point, value) => ({ ...point, noise: null, drift: point.drift.with(place, value) }),
  });
  return [
    ...styles,
    walk("across", "noise 1", 0, "to the seeds beside this seed"),
    walk("down", "noise 2", 1, "to the seeds a hundred away"),
    {
      key: "truncation",
      name: "variety",
      low: 0.05,
      high: 1,
      effect: "from typical to varied: the truncation",
      get: (point) => point.truncation,
      set: (point, truncation) => ({ ...point, truncation }),
    },
  ];
}

const FIRST_SEED = 18n;

// The first point that a visitor sees: the middle of each range.
export function firstPoint(model) {
  const styles = Object.fromEntries(model.space.styles.map(({ name, low, high }) => [name, clamp(0, low, high)]));
  const classes = model.classes.length ? { [model.classes[0]]: 1 } : {};
  return { classes, styles, seed: FIRST_SEED, index: 0n, truncation: 1, drift: [0, 0], noise: null };
}

// A point in the space of another model: what both have stays.
export function fitPoint(point, model) {
  const fitted = firstPoint(model);
  for (const { name, low, high } of model.space.styles) {
    if (name in point.styles) fitted.styles[name] = clamp(point.styles[name], low, high);
  }
  const classes = Object.entries(point.classes).filter(([name, weight]) => model.classes.includes(name) && weight > 0);
  if (classes.length) fitted.classes = Object.fromEntries(classes);
  const bound = noiseBound(model.space);
  const fits = point.noise?.length === model.space.noise_size && point.noise.every((value) => Math.abs(value) <= bound);
  const noise = fits ? point.noise : null;
  return { ...fitted, seed: point.seed, index: point.index, truncation: point.truncation, drift: point.drift, noise };
}

// The point of an answer of `/v1/verify` or `/v1/codes`.
export function pointOf(record, model, seed) {
  const { classes = typeof record.class === "object" ? record.class : {}, styles = {} } = record;
  const { truncation = 1, noise = null } = record;
  const point = { classes, styles, seed: record.seed ?? seed, index: record.index ?? 0n, truncation, noise };
  return fitPoint({ ...point, drift: [0, 0] }, model);
}

export function onlyClass(point) {
  const names = Object.keys(point.classes).filter((name) => point.classes[name] > 0);
  return names.length === 1 ? names[0] : null;
}
