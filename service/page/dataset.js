// A labelled data set, streamed to the visitor's disk.

import { send } from "./api.js";
import { $, make } from "./dom.js";
import { copy, save } from "./save.js";
import { shownPoint, state } from "./state.js";

const unpacked = (reader) => (file, folder) =>
  `import shutil\nimport torchvision\n\nshutil.unpack_archive("${file}", "${folder}")\nimages = torchvision.datasets.${reader(folder)}`;
const tuples = (file) =>
  `import webdataset\n\nimages = webdataset.WebDataset("${file}", shardshuffle=False).decode("pil").to_tuple("png", "cls")`;
const rows = (file) =>
  `import datasets\n\nimages = datasets.load_dataset("parquet", data_files="${file}", split="train")`;
const FORMATS = {
  idx: { name: "MNIST's files", suffix: "tar", load: unpacked((folder) => `MNIST("${folder}", train=True)`) },
  webdataset: { name: "WebDataset", suffix: "tar", load: tuples },
  parquet: { name: "Parquet", suffix: "parquet", load: rows },
  zip: { name: "zip of PNGs", suffix: "zip", load: unpacked((folder) => `ImageFolder("${folder}")`) },
};
const PNG = [0x89, 0x50, 0x4e, 0x47];

let stop = null;

const kind = () => FORMATS[$("set-format").value];
const fileName = () => `${state.model.name}-${Number($("set-n").value)}.${kind().suffix}`;

// Python that loads the file, as it is.
function showLoad(file = fileName()) {
  $("set-load").textContent = kind().load(file, file.replace(/\.\w+$/, ""));
}

// Counts the images in the parts of a stream: MNIST's files have so many bytes each, the others a PNG.
function counter(format, { width, height }) {
  let images = 0;
  let matched = 0;
  return (part) => {
    if (format === "idx") return (images += part.length / (width * height + 1));
    for (const byte of part) {
      matched = byte === PNG[matched] ? matched + 1 : Number(byte === PNG[0]);
      if (matched === PNG.length) [matched, images] = [0, images + 1];
    }
    return images;
  };
}

// A place on the disk if the browser has one to stream to, otherwise the memory; and the file's name.
async function openTarget(name) {
  if (!("showSaveFilePicker" in window)) {
    const parts = [];
    return [{ write: (part) => parts.push(part), close: () => save(new Blob(parts), name), abort: () => {} }, name];
  }
  const file = await showSaveFilePicker({ suggestedName: name });
  return [await file.createWritable(), file.name];
}

async function stream(body, target, image) {
  const answer = await send("v1/datasets", { body, signal: stop.signal });
  const count = counter(body.format, image);
  for (const reader = answer.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    const images = Math.min(body.n, Math.floor(count(value)));
    $("set-progress").value = images / body.n;
    $("set-said").textContent = `${images.toLocaleString("en")} of ${body.n.toLocaleString("en")} images`;
    await target.write(value);
  }
}

function show(running) {
  $("set-progress").hidden = $("set-stop").hidden = !running;
  $("set-save").disabled = running;
}

async function saveSet() {
  const { model } = state;
  const body = { model: model.label, n: $("set-n").valueAsNumber, format: $("set-format").value, seed: shownPoint().seed };
  if ($("set-style").checked) body.style = shownPoint().styles;
  let target, name;
  try {
    [target, name] = await openTarget(fileName());
  } catch {
    return; // the visitor named no file
  }
  stop = new AbortController();
  show(true);
  try {
    await stream(body, target, model.image);
    await target.close();
    $("set-said").textContent = `${body.n.toLocaleString("en")} images are in ${name}. Load them:`;
    showLoad(name);
  } catch (error) {
    await target.abort();
    $("set-said").textContent = error.name === "AbortError" ? "Stopped; nothing was kept." : `${error.message}${error.wait ? ` Try again in ${error.wait} s.` : ""} Nothing was kept.`;
  }
  show(false);
}

// For another model: which formats hold its images, and whether it has style codes.
export function fitForm(model) {
  const formats = Object.entries(FORMATS).filter(([name]) => name !== "idx" || model.image.channels === 1);
  $("set-format").replaceChildren(...formats.map(([value, { name }]) => make("option", { value }, name)));
  $("set-style").parentElement.hidden = !model.space.styles.length;
  showLoad();
}

export function openForm() {
  $("set").onsubmit = (event) => {
    event.preventDefault();
    saveSet();
  };
  $("set").oninput = () => showLoad();
  $("set-stop").onclick = () => stop.abort();
  $("set-copy").onclick = ({ target }) => copy($("set-load"), target);
}
