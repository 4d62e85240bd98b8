import type { ApprovalDesk } from './desk.ts';

export interface DeadlineTimerOptions {
  readonly desk: ApprovalDesk;
  readonly intervalMs: number;
  readonly onError: (what: string, error: unknown) => void;
}

/** Lets the deadlines of approvals take effect, at an interval. The timer does not keep the process alive. */
export class DeadlineTimer {
  readonly #timer: NodeJS.Timeout;
  /** The round that is running. */
  #round: Promise<void> | undefined;

  constructor({ desk, intervalMs, onError }: DeadlineTimerOptions) {
    this.#timer = setInterval(() => {
      this.#round ??= desk
        .advanceDue()
        .then(
          () => undefined,
          (error: unknown) => onError('approval deadlines', error),
        )
        .finally(() => {
          this.#round = undefined;
        });
    }, intervalMs);
    this.#timer.unref();
  }

  /** Starts no further round, and waits for the running one. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }
}
