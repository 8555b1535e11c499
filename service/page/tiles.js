// Images side by side, each a button: arrow keys go from one to the next.

import { make } from "./dom.js";
import { showImage } from "./images.js";

export class Tiles {
  #host;
  #pick;
  #tiles = [];
  #key = "";

  // `pick(place)` is called when an image is chosen.
  constructor(host, pick) {
    this.#host = host;
    this.#pick = pick;
    host.addEventListener("keydown", (event) => this.#walk(event));
  }

  // A tile for each label. `captions` shows the labels below the images.
  set(labels, { width, height }, { captions = false } = {}) {
    const key = JSON.stringify([labels, width, height]);
    if (key === this.#key) return;
    this.#key = key;
    this.#tiles = labels.map((label, place) => {
      const canvas = make("canvas", { width, height });
      const tile = make("button", { type: "button", className: "tile", tabIndex: place ? -1 : 0, ariaLabel: label }, canvas);
      if (captions) tile.append(make("span", { className: "caption" }, label));
      tile.onclick = () => this.#pick(place);
      tile.onfocus = () => this.#roam(place);
      return tile;
    });
    this.#host.replaceChildren(...this.#tiles);
  }

  paint(images) {
    this.#tiles.forEach((tile, place) => showImage(tile.firstChild, images[place]));
  }

  press(pressed) {
    if (this.#tiles[pressed]?.ariaPressed === "true") return;
    this.#tiles.forEach((tile, place) => (tile.ariaPressed = String(place === pressed)));
    if (pressed >= 0 && !this.#host.contains(document.activeElement)) this.#roam(pressed);
  }

  get columns() {
    const top = this.#tiles[0]?.offsetTop;
    return this.#tiles.filter((tile) => tile.offsetTop === top).length;
  }

  #roam(place) {
    this.#tiles.forEach((tile, other) => (tile.tabIndex = other === place ? 0 : -1));
  }

  #walk(event) {
    const here = this.#tiles.indexOf(document.activeElement);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.columns, ArrowUp: -this.columns };
    const next = here + steps[event.key];
    if (here < 0 || !(next >= 0 && next < this.#tiles.length)) return;
    event.preventDefault();
    this.#tiles[next].focus();
  }
}
