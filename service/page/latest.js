// One request in flight, and the newest wins: what was asked for in between is never sent.

import { recover, report } from "./notice.js";

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

export class Latest {
  #running = null;
  #waiting = null;

  // `job(signal)` draws. With `now`, it cancels the request in flight instead of waiting for it.
  ask(job, { now = false } = {}) {
    this.#waiting = job;
    if (now) this.#running?.abort();
    if (!this.#running) this.#run();
  }

  stop() {
    this.#waiting = null;
    this.#running?.abort();
  }

  async #run() {
    const job = this.#waiting;
    this.#waiting = null;
    this.#running = new AbortController();
    try {
      await job(this.#running.signal);
      recover(this);
    } catch (error) {
      if (error.name === "AbortError") recover(this);
      else await this.#fail(error, job);
    }
    this.#running = null;
    if (this.#waiting) this.#run();
  }

  // After a refusal the same is asked again, unless something newer is.
  async #fail(error, job) {
    if (!report(error, this) || !error.wait) return;
    await pause(error.wait);
    this.#waiting ??= job;
  }
}
