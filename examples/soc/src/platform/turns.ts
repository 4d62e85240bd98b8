/** Lets steps about one thing follow each other, so that none overwrites or overlooks another. Steps about different things run beside each other. */
export class Turns {
  /** The last step of each thing. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs a step after those about `thing` that were there before, whether they succeeded or not. */
  async take<T>(thing: string, step: () => Promise<T>): Promise<T> {
    const before = this.#last.get(thing) ?? Promise.resolve();
    const done = before.then(step, step);
    this.#last.set(thing, done);
    try {
      return await done;
    } finally {
      if (this.#last.get(thing) === done) this.#last.delete(thing);
    }
  }
}
