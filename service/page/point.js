// A point as the API takes it.

import { noiseAt } from "./noise.js";
import { onlyClass } from "./space.js";

export function noiseOfPoint(point, model) {
  if (point.noise) return point.noise;
  const moved = point.drift[0] !== 0 || point.drift[1] !== 0;
  return moved ? noiseAt(model.space, point.seed, point.index, point.drift) : null;
}

export function bodyOf(point, model) {
  const body = { seed: point.seed };
  if (point.index) body.index = point.index;
  if (Object.keys(point.classes).length) body.class = onlyClass(point) ?? point.classes;
  if (Object.keys(point.styles).length) body.style = point.styles;
  if (point.truncation < 1) body.truncation = point.truncation;
  const noise = noiseOfPoint(point, model);
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
  if (noiseOfPoint(point, model) || (model.classes.length && !onlyClass(point))) return null;
  const query = new URLSearchParams({ model: model.name, version: model.digest.slice(0, 12) });
  if (model.classes.length) query.set("class", onlyClass(point));
  const styles = model.space.styles.map(({ name }) => point.styles[name]);
  if (styles.length) query.set("style", styles.map((value) => value.toFixed(9).replace(/\.?0+$/, "")).join(","));
  query.set("seed", point.seed);
  if (point.index) query.set("index", point.index);
  if (point.truncation < 1) query.set("truncation", point.truncation);
  return query;
}
