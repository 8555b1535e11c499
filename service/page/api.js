// The service's own API. All addresses are relative, so that a path prefix changes nothing.

import { askForKey, currentKey } from "./key.js";

// Seeds have up to 63 bits, more than a number of JavaScript holds: they are BigInt here.
export const toJson = (value) =>
  JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `\u0001${part}` : part)).replace(
    /"\\u0001(\d+)"/g,
    "$1",
  );

export const fromJson = (text) =>
  JSON.parse(text.replace(/"(seed|index)":(\d+)/g, '"$1":"$2"'), (key, part) =>
    key === "seed" || key === "index" ? BigInt(part) : part,
  );

const OFFLINE_SECONDS = 2;

// An answer that is an error, or no answer at all. `wait` says in how many seconds to try again, if at all.
export class Refused extends Error {
  constructor(kind, detail, wait = 0) {
    super(detail);
    this.kind = kind;
    this.wait = wait;
  }

  static async read(answer) {
    const waits = { 429: 1, 502: OFFLINE_SECONDS, 503: OFFLINE_SECONDS, 504: OFFLINE_SECONDS };
    const wait = Number(answer.headers.get("retry-after")) || waits[answer.status] || 0;
    const problem = await answer.json().catch(() => ({}));
    const kind = answer.status === 429 ? "busy" : (problem.type ?? "").split(":").pop() || "error";
    return new Refused(kind, problem.detail ?? `The service answered with ${answer.status}.`, wait);
  }
}

let refusedKey;

const listeners = { cost: () => {} };

// Hear what each drawing cost, as `{queue, inference, encode, way}` in milliseconds.
export const onCost = (listener) => (listeners.cost = listener);

export async function send(path, { body, signal, headers } = {}) {
  const key = currentKey();
  const options = { signal, headers: key ? { ...headers, Authorization: `Bearer ${key}` } : headers };
  if (body !== undefined) {
    options.method = "POST";
    options.body = body instanceof Blob ? body : toJson(body);
    options.headers = { ...options.headers, "Content-Type": body instanceof Blob ? body.type : "application/json" };
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("offline", "The service does not answer.", OFFLINE_SECONDS);
  }
  if (answer.status === 401) {
    const refused = await Refused.read(answer);
    // The first answer may be the one that the browser loaded ahead, without a key.
    if (key === refusedKey && key === currentKey()) await askForKey(refused);
    refusedKey = key;
    return send(path, { body, signal, headers });
  }
  if (!answer.ok) throw await Refused.read(answer);
  return answer;
}

// An answer of another program, such as a proxy's page to log in.
export const strange = () => new Refused("strange", "The answer is not one of this service. Does a proxy stand before it?");

export async function askJson(path, options) {
  const text = await (await send(path, options)).text();
  try {
    return fromJson(text);
  } catch {
    throw strange();
  }
}

// A drawing: its file, and the version that drew it.
export async function draw(path, body, signal) {
  const started = performance.now();
  const answer = await send(path, { body, signal });
  const file = await answer.blob();
  const timing = answer.headers.get("server-timing") ?? "";
  const spent = Object.fromEntries([...timing.matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, ms]) => [name, Number(ms)]));
  const served = Object.values(spent).reduce((sum, ms) => sum + ms, 0);
  listeners.cost({ ...spent, way: Math.max(0, performance.now() - started - served) });
  return { file, model: answer.headers.get("faussaire-model") };
}
