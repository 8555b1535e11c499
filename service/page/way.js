// The way between two pinned images, played and scrubbed.

import { draw } from "./api.js";
import { $ } from "./dom.js";
import { drawImages, showImage } from "./images.js";
import { whenInView } from "./inview.js";
import { Latest } from "./latest.js";
import { bodyOf } from "./point.js";
import { save } from "./save.js";
import { keep, listen, shownPoint, state } from "./state.js";

const FRAMES = 48;
const FPS = 24;

let frames = null;
let direction = 0; // 0 while it rests

// Without pins, from the first class to the second, of another seed.
function ends() {
  const { model, point } = state;
  const [first, second = first] = model.classes;
  const end = (name, seed) => bodyOf({ ...point, classes: name ? { [name]: 1 } : {}, seed, index: 0n, noise: null, drift: [0, 0] }, model);
  return { from: state.from ?? end(first, point.seed), to: state.to ?? end(second, point.seed + 1n) };
}

const show = () => frames && showImage($("way"), frames[$("way-share").valueAsNumber]);

async function paint(signal) {
  const { model } = state;
  const body = { model: model.label, ...ends(), frames: FRAMES };
  frames = await drawImages("v1/interpolations", body, signal);
  showImage($("way-from"), frames[0]);
  showImage($("way-to"), frames[FRAMES - 1]);
  show();
}

function play() {
  direction = direction ? 0 : 1;
  $("way-play").textContent = direction ? "Pause" : "Play";
  let before = 0;
  const step = (now) => {
    if (!direction) return;
    if (now - before >= 1000 / FPS) {
      before = now;
      const at = $("way-share").valueAsNumber;
      if (at + direction < 0 || at + direction >= FRAMES) direction = -direction;
      $("way-share").value = at + direction;
      show();
    }
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

async function saveWay() {
  const format = $("way-format").value;
  const more = format === "sheet" ? {} : { fps: FPS, loop: true };
  const body = { model: state.model.label, ...ends(), frames: FRAMES, format, scale: 4, ...more };
  const { file } = await draw("v1/interpolations", body);
  save(file, `${state.model.name}-way.${{ webp: "webp", apng: "png", gif: "gif", sheet: "png" }[format]}`);
}

export function openWay() {
  $("pin-from").onclick = () => keep({ from: bodyOf(shownPoint(), state.model) });
  $("pin-to").onclick = () => keep({ to: bodyOf(shownPoint(), state.model) });
  $("way-share").oninput = show;
  $("way-play").onclick = play;
  const saving = new Latest();
  $("way-save").onclick = () => saving.ask(saveWay);
  const changes = whenInView($("way").parentElement, paint);
  listen((kind) => {
    if (kind === "live") return;
    const { width, height } = state.model.image;
    if (kind === "model") for (const id of ["way-from", "way", "way-to"]) Object.assign($(id), { width, height });
    changes();
  });
}
