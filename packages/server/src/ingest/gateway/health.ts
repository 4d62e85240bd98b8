export interface GatewayHealthOptions {
  /** The problem until the first success. */
  readonly initialProblem: string;
  /** Resolves if the broker can be written to; otherwise rejects. */
  readonly probe: () => Promise<void>;
  /** Words the problem for readiness. */
  readonly describe: (error: unknown) => string;
  /** Whether a write is in flight, which tells as much as a probe. */
  readonly isBusy: () => boolean;
  /** Pause between two probes, ms. */
  readonly intervalMs: number;
}

/**
 * Whether the gateway can write. After a failure it probes the broker until that succeeds: a service that is not ready gets
 * no events, so no write would ever find out that the broker is back.
 */
export class GatewayHealth {
  readonly #options: GatewayHealthOptions;
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: GatewayHealthOptions) {
    this.#options = options;
    this.#problem = options.initialProblem;
    void this.#probe();
  }

  /** Why the last write or probe failed; undefined if it succeeded. */
  get problem(): string | undefined {
    return this.#problem;
  }

  succeeded(): void {
    this.#problem = undefined;
  }

  failed(error: unknown): void {
    this.#problem = this.#options.describe(error);
    this.#probeLater();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #probeLater(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#probe(), this.#options.intervalMs);
    this.#timer.unref();
  }

  async #probe(): Promise<void> {
    if (this.#options.isBusy()) return this.#probeLater();
    try {
      await this.#options.probe();
      this.succeeded();
    } catch (error) {
      this.failed(error);
    }
  }
}
