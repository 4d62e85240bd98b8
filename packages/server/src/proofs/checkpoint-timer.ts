import type { Checkpointer } from './checkpointer.ts';
import type { ChainGuard } from './guard.ts';

export interface CheckpointTimerOptions {
  readonly guard: ChainGuard;
  readonly checkpointer: Checkpointer;
  readonly intervalMs: number;
  readonly onError: (what: string, error: unknown) => void;
}

/** Signs all logs that have grown, at an interval. The timer does not keep the process alive. */
export class CheckpointTimer {
  readonly #options: CheckpointTimerOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #stopper = new AbortController();
  /** The round that is running. */
  #round: Promise<void> | undefined;

  constructor(options: CheckpointTimerOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      // A round may take longer than the interval. Then no second round is started.
      this.#round ??= this.#review().finally(() => {
        this.#round = undefined;
      });
    }, options.intervalMs);
    this.#timer.unref();
  }

  /** Starts no further round. A running round ends before its next log. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopper.abort();
  }

  /** Waits for the running round, then signs once more. Errors go to `onError`. */
  async finish(): Promise<void> {
    this.stop();
    await this.#round;
    await this.#signAll().catch((error: unknown) => this.#options.onError('checkpoints', error));
  }

  async #review(): Promise<void> {
    try {
      await this.#options.guard.reviewStopped();
      await this.#signAll(this.#stopper.signal);
    } catch (error) {
      this.#options.onError('checkpoints', error);
    }
  }

  async #signAll(signal?: AbortSignal): Promise<void> {
    const { checkpointer, onError } = this.#options;
    await checkpointer.checkpointAll((tenantId, error) => onError(`checkpoint ${tenantId}`, error), signal);
  }
}
