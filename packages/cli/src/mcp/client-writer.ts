/** Writes whole messages to the client. No message of the proxy gets into the middle of one that the server is still sending. */
export class ClientWriter {
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  /** Resolves when the last writer before has finished. Owned by this object. */
  #last: Promise<void> = Promise.resolve();

  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** A message of the proxy itself. */
  send(message: object): void {
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    void this.exclusively((write) => write(bytes));
  }

  /** Runs `work` when all earlier messages are written; later ones wait for it. */
  async exclusively(work: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    try {
      await work(this.#write);
    } finally {
      resolve();
    }
  }

  /** Resolves when everything so far is written. */
  async written(): Promise<void> {
    await this.#last;
  }
}
