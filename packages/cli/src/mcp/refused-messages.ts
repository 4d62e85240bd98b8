/** Who sent a message that did not pass. */
export type Sender = 'client' | 'server';

/** The event about messages of one sender that did not pass. */
interface RefusalEvent {
  readonly eventType: 'agent.message.refused';
  readonly eventCategory: 'agent';
  readonly context: {
    readonly sender: Sender;
    readonly refused: readonly { readonly reason: string; readonly count: number }[];
  };
  readonly outcome: 'blocked';
}

export interface RefusedMessagesOptions {
  /** Records an event. Must not throw. */
  readonly emit: (event: RefusalEvent) => void;
  /** @defaultValue 60000 */
  readonly intervalMs?: number | undefined;
}

/**
 * Puts on record which messages did not pass. A hostile peer can send any number of them, so one record counts all of an interval. The
 * first is recorded at once, because this process can be killed before the interval ends.
 */
export class RefusedMessages {
  readonly #emit: RefusedMessagesOptions['emit'];
  readonly #intervalMs: number;
  /** Counts of this interval that are not recorded, by sender and reason. Owned by this object. */
  readonly #counts: { readonly [sender in Sender]: Map<string, number> } = {
    client: new Map(),
    server: new Map(),
  };
  #timer: NodeJS.Timeout | undefined;

  constructor({ emit, intervalMs = 60_000 }: RefusedMessagesOptions) {
    this.#emit = emit;
    this.#intervalMs = intervalMs;
  }

  /** Counts one message. The reason must be one of a few fixed texts. */
  add(sender: Sender, reason: string): void {
    const counts = this.#counts[sender];
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
    if (this.#timer === undefined) this.#record();
  }

  /** Records what is counted, and ends the interval. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#record();
    clearTimeout(this.#timer);
  }

  #record(): void {
    let recorded = false;
    for (const [sender, counts] of [
      ['client', this.#counts.client],
      ['server', this.#counts.server],
    ] as const) {
      if (counts.size === 0) continue;
      const refused = [...counts].map(([reason, count]) => ({ reason, count }));
      counts.clear();
      this.#emit({
        eventType: 'agent.message.refused',
        eventCategory: 'agent',
        context: { sender, refused },
        outcome: 'blocked',
      });
      recorded = true;
    }
    // Without a message in an interval, the next one is recorded at once.
    this.#timer = recorded ? setTimeout(() => this.#record(), this.#intervalMs).unref() : undefined;
  }
}
