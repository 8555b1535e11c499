// A point as the API takes it.

import { neighbour, noiseAt } from "./noise.js";
import { onlyClass } from "./space.js";

// Where the noise comes from: a seed, or between the seeds the noise itself.
function sourceOf({ seed, index, noise, drift }, model) {
  if (noise) return { seed, noise };
  if (drift.every(Number.isInteger)) return { seed: neighbour(seed, ...drift) };
  return { seed, noise: noiseAt(model.space, seed, index, drift) };
}

export function bodyOf(point, model) {
  const { seed, noise } = sourceOf(point, model);
  const body = { seed };
  if (point.index) body.index = point.index;
  if (Object.keys(point.classes).length) body.class = onlyClass(point) ?? point.classes;
  if (Object.keys(point.styles).length) body.style = point.styles;
  if (point.truncation < 1) body.truncation = point.truncation;
  if (noise) body.noise = noise;
  return body;
}

// Without the class, which an axis of a traversal moves, or a data set has in turn.
export function bodyWithout(field, point, model) {
  const { [field]: _, ...body } = bodyOf(point, model);
  return body;
}

// What `GET /v1/image` can say: one class, and the seed's own noise.
export function queryOf(point, model) {
  const { seed, noise } = sourceOf(point, model);
  if (noise || (model.classes.length && !onlyClass(point))) return null;
  const query = new URLSearchParams({ model: model.name, version: model.digest.slice(0, 12) });
  if (model.classes.length) query.set("class", onlyClass(point));
  const styles = model.space.styles.map(({ name }) => point.styles[name]);
  if (styles.length) query.set("style", styles.map((value) => value.toFixed(9).replace(/\.?0+$/, "")).join(","));
  query.set("seed", seed);
  if (point.index) query.set("index", point.index);
  if (point.truncation < 1) query.set("truncation", point.truncation);
  return query;
}
