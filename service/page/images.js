// Images as pixels: asked for, shown, laid out on a sheet.

import { draw, strange } from "./api.js";

// The images that a request draws, each an ImageData. NumPy's format needs no decoder: after a head that says the shape
// there are the bytes of the pixels.
export async function drawImages(path, body, signal) {
  const { file } = await draw(path, { ...body, format: "npy" }, signal);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const end = 10 + bytes[8] + 256 * bytes[9];
  const shape = /\((\d+), (\d+), (\d+), (\d+)\)/.exec(String.fromCharCode(...bytes.subarray(10, end)));
  if (!shape) throw strange();
  const [count, height, width, channels] = shape.slice(1).map(Number);
  const size = height * width * channels;
  return Array.from({ length: count }, (_, place) => {
    const from = end + place * size;
    return toImage(bytes.subarray(from, from + size), width, height, channels);
  });
}

function toImage(bytes, width, height, channels) {
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let part = 0; part < 3; part++) image.data[4 * pixel + part] = bytes[channels * pixel + (channels > 1 ? part : 0)];
    image.data[4 * pixel + 3] = 255;
  }
  return image;
}

export function showImage(canvas, image) {
  const { width, height } = image;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Row by row; by default about as wide as high, as the service's sheets are.
export function layOut(images, columns = Math.ceil(Math.sqrt(images.length))) {
  const [{ width, height }] = images;
  const sheet = new OffscreenCanvas(columns * width, Math.ceil(images.length / columns) * height).getContext("2d");
  sheet.fillRect(0, 0, sheet.canvas.width, sheet.canvas.height); // empty places are black
  images.forEach((image, place) => sheet.putImageData(image, (place % columns) * width, Math.floor(place / columns) * height));
  return sheet.getImageData(0, 0, sheet.canvas.width, sheet.canvas.height);
}
