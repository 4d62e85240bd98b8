import { type AuditEmitter, AuditError, type AuditEventInput } from '@tallystick/sdk';
import { bareEvent, type SocEmitter } from '../recorder.ts';
import type { JournaledEvent } from './event-journal.ts';
import type { DurableStore } from './store.ts';

/** Events that are on their way at one time. */
const maxUnderWay = 2_000;

/** The longest time that a timer can wait: an event is under way until the audit service has it, or the emitter is closed. */
const untilDelivered = { timeoutMs: 2 ** 31 - 1 };

interface Row {
  readonly place: number;
  readonly service: string;
  readonly event: string;
}

/**
 * Sends the events of a store, in their order, and removes each when the audit service has it. What a crash interrupts is sent again: the
 * event has the same id, time and content, so the audit service keeps it once.
 */
export class EventRelay {
  readonly #store: DurableStore;
  readonly #emitterOf: (service: string) => SocEmitter;
  readonly #onError: (error: unknown) => void;
  readonly #endListening: () => void;
  /** The place of the event that was sent last. */
  #sent = 0;
  #underWay = 0;
  #delivered: number[] = [];
  #scheduled = false;
  #closed = false;
  #idle: (() => void)[] = [];

  /**
   * @param emitterOf the emitter of a service. The caller closes it after {@link EventRelay.close}.
   * @param onError called with events that the audit service refused for good. They stay in the store.
   */
  constructor(
    store: DurableStore,
    emitterOf: (service: string) => SocEmitter,
    onError: (error: unknown) => void = () => undefined,
  ) {
    this.#store = store;
    this.#emitterOf = emitterOf;
    this.#onError = onError;
    this.#endListening = store.onChange(() => this.#wake());
    this.#wake();
  }

  /** Events that are stored and not yet delivered or refused. */
  get waiting(): number {
    const [row] = this.#store.query<{ count: number }>(
      'select count(*) as count from events where refusal is null',
    );
    return row!.count - this.#delivered.length;
  }

  /** Resolves when the audit service has every event. */
  async idle(): Promise<void> {
    while (this.waiting > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Sends nothing more. What is not delivered stays in the store, and is sent after the next start. */
  close(): void {
    this.#endListening();
    this.#remove();
    this.#closed = true;
  }

  /** The events of one turn of the event loop are sent together. */
  #wake(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#closed) return;
      this.#remove();
      this.#send();
    });
  }

  #send(): void {
    const rows = this.#store.query<Row>(
      'select place, service, event from events where place > ? and refusal is null order by place limit ?',
      this.#sent,
      maxUnderWay - this.#underWay,
    );
    for (const row of rows) {
      this.#sent = row.place;
      this.#underWay += 1;
      void this.#deliver(row);
    }
  }

  /** Never rejects. */
  async #deliver({ place, service, event: text }: Row): Promise<void> {
    const event = JSON.parse(text) as JournaledEvent;
    const emitter = this.#emitterOf(service) as unknown as Pick<AuditEmitter, 'record'>;
    const record = (one: object) => emitter.record(one as AuditEventInput, untilDelivered);
    try {
      try {
        await record(event);
      } catch (error) {
        if (!(error instanceof AuditError) || error.code !== 'EVENT_REFUSED') throw error;
        // Content that an attacker made too large or malformed must not make the event disappear.
        await record(bareEvent(event, service));
      }
      this.#delivered.push(place);
    } catch (error) {
      if (!this.#closed) this.#refuse(place, error);
    }
    this.#underWay -= 1;
    this.#wake();
  }

  #refuse(place: number, error: unknown): void {
    const isFinal = !(error instanceof AuditError) || error.outcome === 'rejected';
    if (isFinal) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#store.transaction(() =>
        this.#store.execute('update events set refusal = ? where place = ?', reason, place),
      );
      this.#checkIdle();
    }
    this.#onError(error);
  }

  #remove(): void {
    if (this.#delivered.length === 0) return;
    const places = this.#delivered;
    this.#delivered = [];
    this.#store.transaction(() => {
      for (const place of places) this.#store.execute('delete from events where place = ?', place);
    });
    this.#checkIdle();
  }

  #checkIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
