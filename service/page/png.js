// PNG files whose pixels change and whose text chunks stay.

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const TEXTS = ["tEXt", "zTXt", "iTXt"];

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit++) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

const crcOf = (bytes) => ~bytes.reduce((crc, byte) => CRC[(crc ^ byte) & 255] ^ (crc >>> 8), -1) >>> 0;

function chunk(name, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set([...name].map((letter) => letter.charCodeAt(0)), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crcOf(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

export function textsOf(bytes) {
  const view = new DataView(bytes.buffer);
  const found = [];
  for (let at = 8; at + 8 < bytes.length; at += 12 + view.getUint32(at)) {
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (TEXTS.includes(name)) found.push(bytes.slice(at, at + 12 + view.getUint32(at)));
  }
  return found;
}

// The file with these pixels, an ImageData, in place of its own.
export async function withPixels(file, { width, height, data }) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const rows = new Uint8Array(height * (1 + 4 * width)); // each row begins with its filter, which is none
  for (let y = 0; y < height; y++) rows.set(data.subarray(4 * width * y, 4 * width * (y + 1)), y * (1 + 4 * width) + 1);
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")));
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, width);
  new DataView(head.buffer).setUint32(4, height);
  head.set([8, 6], 8); // 8 bits, RGB and alpha
  const pixels = chunk("IDAT", new Uint8Array(await packed.arrayBuffer()));
  const parts = [new Uint8Array(SIGNATURE), chunk("IHDR", head), ...textsOf(bytes), pixels, chunk("IEND", new Uint8Array())];
  return new File(parts, file.name ?? "changed.png", { type: "image/png" });
}
