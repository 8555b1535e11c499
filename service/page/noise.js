// The noise of a seed, as docs/noise.md specifies it, and the noise between the seeds of a lattice.

const WORD = (1n << 64n) - 1n;

// Philox4x64-10: the block of four words of a counter and a key.
function philox(counter, seed) {
  let [c0, c1, c2, c3] = [counter & WORD, counter >> 64n, 0n, 0n];
  let [k0, k1] = [seed, 0n];
  for (let round = 0; round < 10; round++) {
    const a = 0xd2e7470ee14c6c93n * c0;
    const b = 0xca5a826395121157n * c2;
    [c0, c1, c2, c3] = [(b >> 64n) ^ c1 ^ k0, b & WORD, (a >> 64n) ^ c3 ^ k1, a & WORD];
    k0 = (k0 + 0x9e3779b97f4a7c15n) & WORD;
    k1 = (k1 + 0xbb67ae8584caa73bn) & WORD;
  }
  return [c0, c1, c2, c3];
}

function uniforms(seed, index, count) {
  const blocks = Math.ceil(count / 4);
  const words = Array.from({ length: blocks }, (_, block) => philox(index * BigInt(blocks) + BigInt(block), seed));
  return words.flat().slice(0, count).map((word) => Number(word >> 11n) / 2 ** 53);
}

export function noiseOf(space, seed, index) {
  const size = space.noise_size;
  if (space.noise_distribution === "uniform") {
    return uniforms(seed, index, size).map((u) => Math.floor(2 ** 24 * u) / 2 ** 23 - 1);
  }
  const half = Math.ceil(size / 2);
  const drawn = uniforms(seed, index, 2 * half);
  const radius = (place) => Math.sqrt(-2 * Math.log(1 - drawn[place]));
  const turn = (place) => 2 * Math.PI * drawn[half + place];
  return Array.from({ length: size }, (_, place) =>
    place < half ? radius(place) * Math.cos(turn(place)) : radius(place - half) * Math.sin(turn(place - half)),
  );
}

// The largest number of a noise that the service takes.
export const noiseBound = (space) => (space.noise_distribution === "uniform" ? 1 : 10);

export const neighbour = (seed, across, down) => BigInt.asUintN(63, seed + BigInt(across + 100 * down));

const known = new Map();

function remembered(space, seed, index) {
  const key = `${space.noise_distribution} ${space.noise_size} ${seed} ${index}`;
  if (!known.has(key)) {
    if (known.size > 400) known.clear();
    known.set(key, noiseOf(space, seed, index));
  }
  return known.get(key);
}

// The seeds stand on a lattice: a step across is the next seed, a step down the hundredth. Between them the noise is
// their blend, as long as theirs.
export function noiseAt(space, seed, index, [across, down]) {
  const [left, top] = [Math.floor(across), Math.floor(down)];
  const [u, v] = [across - left, down - top];
  const corners = [
    [0, 0, (1 - u) * (1 - v)],
    [1, 0, u * (1 - v)],
    [0, 1, (1 - u) * v],
    [1, 1, u * v],
  ].filter(([, , weight]) => weight > 0);
  const length = Math.hypot(...corners.map(([, , weight]) => weight));
  const bound = noiseBound(space);
  const noises = corners.map(([x, y, weight]) => {
    return remembered(space, neighbour(seed, left + x, top + y), index).map((value) => (value * weight) / length);
  });
  return noises[0].map((_, place) => {
    const sum = noises.reduce((total, noise) => total + noise[place], 0);
    return Math.round(Math.max(-bound, Math.min(bound, sum)) * 10_000) / 10_000;
  });
}
