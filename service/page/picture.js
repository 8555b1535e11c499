// A visitor's picture, before it is sent.

import { textsOf } from "./png.js";

const MOST_SIDE = 1600;
const READ = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"]; // by the service

export const bitmapOf = (file, options) =>
  createImageBitmap(file, options).catch(() => {
    throw new Error("This file is not a picture that the browser can open.");
  });

const hasText = async (file) => file.type === "image/png" && textsOf(new Uint8Array(await file.arrayBuffer())).length > 0;

// What the service can take. A photograph has more bytes and pixels than it reads; text may be a record of ours.
export async function sendable(file, bitmap) {
  const scale = Math.min(1, MOST_SIDE / Math.max(bitmap.width, bitmap.height));
  if ((scale === 1 && READ.includes(file.type)) || (await hasText(file))) return file;
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const copy = new OffscreenCanvas(width, height);
  const context = copy.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // behind what is transparent, which a JPEG cannot be
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return copy.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}
