// Which models are served, which one is shown, and what happens when it is replaced.

import { askJson } from "./api.js";
import { Model, firstPoint, fitPoint } from "./space.js";
import { decode, replaceAddress, state, tell } from "./state.js";

let models = [];

async function load() {
  models = (await askJson("v1/models")).models.map((entry) => new Model(entry));
}

function show(model, asked = {}) {
  state.model = model;
  state.point = fitPoint(asked.point || state.point || firstPoint(model), model);
  state.across = model.dial(asked.across)?.key ?? model.dials[0].key;
  state.down = model.dial(asked.down)?.key ?? model.dials[1].key;
  replaceAddress();
  tell("model");
}

export async function openModels() {
  await load();
  const asked = decode(location.hash);
  show(models.find((model) => model.name === asked.model) ?? models.find((model) => model.isDefault) ?? models[0], asked);
}
