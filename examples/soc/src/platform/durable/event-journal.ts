import type { Clock } from '@tallystick/sdk';
import type { Ids } from '../ids.ts';
import type { SocEmitter } from '../recorder.ts';
import { causeBefore, openUnit } from '../unit-of-work.ts';
import type { DurableStore } from './store.ts';

/** An event as a service emits it. */
export interface JournaledEvent {
  readonly auditId: string;
  readonly parentEventId?: string | undefined;
  /** When it happened, in milliseconds since the epoch: the event is the same however often it is sent. */
  readonly timestamp: number;
  readonly [member: string]: unknown;
}

/**
 * Stores the events of one service together with what the service changes: a crash leaves both or neither. The `EventRelay` sends them,
 * until the audit service has them.
 */
export class EventJournal {
  readonly #parts: {
    readonly service: string;
    readonly store: DurableStore;
    readonly ids: Ids;
    readonly clock: Pick<Clock, 'now'>;
    readonly emitter: SocEmitter;
  };

  constructor(parts: {
    readonly service: string;
    readonly store: DurableStore;
    readonly ids: Ids;
    readonly clock: Pick<Clock, 'now'>;
    /** Sends what must be in the trail before the caller goes on. */
    readonly emitter: SocEmitter;
  }) {
    this.#parts = parts;
  }

  get emitter(): SocEmitter {
    return {
      emit: ((first: unknown, second?: unknown) => this.#emit(first, second)) as SocEmitter['emit'],
      record: this.#parts.emitter.record.bind(this.#parts.emitter) as SocEmitter['record'],
      mark: (type, event) => this.#mark(type, event),
    };
  }

  #emit(first: unknown, second: unknown) {
    const { store, service } = this.#parts;
    const event = this.#complete(first, second);
    openUnit()?.parents.set(event.auditId, event.parentEventId);
    const text = JSON.stringify(event);
    store.change(() => {
      store.execute('delete from marks where audit_id = ?', event.auditId);
      store.execute(
        'insert into events (service, audit_id, event) values (?, ?, ?)',
        service,
        event.auditId,
        text,
      );
    });
    return { id: event.auditId, createdAt: new Date(event.timestamp), state: 'buffered' as const };
  }

  #mark(type: string, body: object): void {
    const { store, service } = this.#parts;
    const event = this.#complete(type, body);
    const unit = openUnit();
    // If the work does not take effect, its events never happened. The mark then follows from what happened before the work.
    const text = JSON.stringify({ ...event, parentEventId: causeBefore(unit, event.parentEventId) });
    store.transaction(() =>
      store.execute(
        'insert or replace into marks (audit_id, service, event) values (?, ?, ?)',
        event.auditId,
        service,
        text,
      ),
    );
    unit?.marks.push(event.auditId);
  }

  /** Both forms of a call: with the type in front, and with it in the event. */
  #complete(first: unknown, second: unknown): JournaledEvent {
    const { ids, clock } = this.#parts;
    const given = typeof first === 'string' ? { eventType: first, ...(second as object) } : (first as object);
    const { auditId, timestamp } = given as Partial<JournaledEvent>;
    return { ...given, auditId: auditId ?? ids.next(), timestamp: timestamp ?? clock.now() };
  }
}
