// Draws with ONNX Runtime Web: node draw.mjs MODEL COUNT BATCH OUTPUT NAME=FILE...
// Each FILE holds the float32 numbers of one input, COUNT rows of them. OUTPUT gets the pixels of all images.
import { readFileSync, writeFileSync } from 'node:fs';
import * as ort from 'onnxruntime-web/wasm';

const [model, count, batch, output, ...inputs] = process.argv.slice(2);
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(readFileSync(model), { executionProviders: ['wasm'] });

const codes = inputs.map((input) => {
  const [name, file] = input.split('=');
  const bytes = readFileSync(file);
  const numbers = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  return { name, numbers, size: numbers.length / count };
});

const parts = [];
for (let start = 0; start < count; start += Number(batch)) {
  const end = Math.min(start + Number(batch), count);
  const rows = codes.map(({ name, numbers, size }) => [
    name,
    new ort.Tensor('float32', numbers.slice(start * size, end * size), [end - start, size]),
  ]);
  const { image } = await session.run(Object.fromEntries(rows));
  parts.push(Buffer.from(image.data));
}
writeFileSync(output, Buffer.concat(parts));
