/**
 * Delivers the events of an outbox: reads a batch, sends it, and deletes what the service has. Nothing in memory is needed to go on
 * after a crash. The next relay reads the same rows, sends the same events with the same `audit_id`, and the service recognises them.
 */
import { uuidv7 } from '@tallystick/event';
import type { ItemResult } from '@tallystick/protocol';
import { Backoff } from '../../delivery/backoff.ts';
import { SequenceTracker } from '../../delivery/sequence-tracker.ts';
import { ErrorReporter } from '../../emitter/error-reporter.ts';
import { AuditError } from '../../errors.ts';
import { endsWithin } from '../../time-limit.ts';
import { readFailure, TransportError } from '../../transport/transport.ts';
import { OutboxDeadLetters } from './dead-letters.ts';
import { OutboxStore, type Refusal, type WaitingEvent } from './outbox-store.ts';
import { type OutboxRelayOptions, type RelaySettings, readRelayOptions } from './relay-options.ts';
import { type OutboxStatus, type RelayCounts, relayExposition } from './relay-status.ts';

/** An event with its number in this relay's account at the service. */
interface NumberedEvent extends WaitingEvent {
  readonly sequence: number;
}

/**
 * Delivers the events of an outbox to the audit service, at least once each; the service stores them once. Several relays may run:
 * one at a time has the lease, and the others take it when it expires.
 */
export class OutboxRelay {
  /** Events that the service refused permanently. */
  readonly deadLetters: OutboxDeadLetters;
  readonly #settings: RelaySettings;
  readonly #store: OutboxStore;
  readonly #backoff: Backoff;
  readonly #errors: ErrorReporter;
  readonly #abort = new AbortController();
  /** Also the holder of the lease. */
  readonly #producer: SequenceTracker;
  readonly #counts = { delivered: 0, duplicates: 0, refused: 0, retries: 0, failing: false };
  #running: Promise<void> | undefined;
  #closed: Promise<void> | undefined;
  #endPause: (() => void) | undefined;
  #stopping = false;
  /** Whether a batch has numbers whose outcome is not known. The end of the account is then not declared. */
  #unsettled = false;

  /** @throws {AuditError} `CONFIG_INVALID` for an invalid option */
  constructor(options: OutboxRelayOptions) {
    this.#settings = readRelayOptions(options);
    const { db, schema, clock, retryDelaysMs, random } = this.#settings;
    this.#store = new OutboxStore(db, schema);
    this.deadLetters = new OutboxDeadLetters(db, this.#store);
    this.#producer = new SequenceTracker(uuidv7(clock.now()));
    this.#errors = new ErrorReporter(this.#settings, () => clock.now());
    // The relay is a job of its own, so its pauses keep the process alive.
    const waiting = {
      now: () => clock.now(),
      schedule: (ms: number, task: () => void) => clock.schedule(ms, task, true),
    };
    const retry = { maxRetries: Number.POSITIVE_INFINITY, retryDelaysMs, probeIntervalMs: 0 };
    this.#backoff = new Backoff(retry, waiting, random);
  }

  /** Begins to deliver in the background, until `close()`. Calling it again changes nothing. */
  start(): this {
    if (this.#closed === undefined) this.#running ??= this.#run();
    return this;
  }

  /**
   * Delivers what waits now and returns, for a scheduled job or a test. It retries until the outbox is empty, another relay has the
   * lease, or `close()` is called.
   */
  async deliverWaiting(): Promise<RelayCounts> {
    if (this.#running !== undefined) throw new AuditError('CONFIG_INVALID', 'the relay runs already');
    if (this.#closed === undefined) {
      this.#running = this.#run('until empty').finally(() => {
        this.#running = undefined;
      });
      await this.#running;
    }
    return this.counts();
  }

  /** What this relay has done so far. */
  counts(): RelayCounts {
    return { ...this.#counts };
  }

  /** The state of the outbox and of this relay. Rejects if the database can't be read. */
  async status(): Promise<OutboxStatus> {
    return { ...(await this.#store.contents()), ...this.#counts };
  }

  /** The state in Prometheus' text format. Rejects if the database can't be read. */
  async exposition(): Promise<string> {
    return relayExposition(await this.status(), this.#settings.service);
  }

  /**
   * Ends the current batch, releases the lease and closes the transport. Events that are not delivered stay in the outbox. Never
   * rejects.
   */
  close({ deadlineMs = this.#settings.deadlineMs }: { readonly deadlineMs?: number } = {}): Promise<void> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  /** For `await using`: the same as `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(deadlineMs: number): Promise<void> {
    const { clock, transport } = this.#settings;
    this.#stopping = true;
    this.#endPause?.();
    this.#backoff.endPause();
    const ended = this.#running ?? Promise.resolve();
    if (!(await endsWithin(clock, ended, deadlineMs))) {
      this.#abort.abort();
      await endsWithin(clock, ended, deadlineMs);
    }
    for (const last of [
      () => this.#declareEnd(deadlineMs),
      () => this.#store.release(this.#producer.producerId),
      () => transport.close(),
    ]) {
      try {
        await endsWithin(clock, last(), deadlineMs);
      } catch (cause) {
        this.#report('the relay did not close cleanly; no event is lost', cause);
      }
    }
  }

  async #run(mode?: 'until empty'): Promise<void> {
    for (let attempt = 0; !this.#stopping; ) {
      try {
        const delivered = await this.#deliverBatch();
        attempt = 0;
        if (delivered) continue;
        this.#counts.failing = false;
      } catch (cause) {
        // A fault of the database: the rows are as they were.
        this.#counts.failing = true;
        this.#report("the outbox can't be read or written", cause);
        if (!this.#stopping) await this.#backoff.pause(attempt++, undefined);
        continue;
      }
      if (mode === 'until empty') return;
      await this.#pause();
    }
  }

  /** @returns whether there was a batch */
  async #deliverBatch(): Promise<boolean> {
    const { leaseMs, batchSize, maxBatchBytes } = this.#settings;
    const rows = await this.#store.claim(this.#producer.producerId, leaseMs, batchSize, maxBatchBytes);
    if (rows.length === 0) return false;
    await this.#deliver(rows.map((row) => ({ ...row, sequence: this.#producer.next(row.tenant_id) })));
    return true;
  }

  /** Sends until the outcome of each event is known and written, or the relay stops. */
  async #deliver(events: readonly NumberedEvent[]): Promise<void> {
    this.#unsettled = true;
    const gaps = this.#producer.takeGaps(1_000);
    for (let attempt = 0; !this.#stopping || attempt === 0; attempt++) {
      if (attempt > 0) this.#counts.retries++;
      try {
        const results = await this.#send(events, gaps);
        this.#counts.failing = false;
        this.#producer.confirmGaps(gaps.length);
        // The service has the events. A crash here sends them again, and it recognises them.
        await this.#settle(events, results);
        this.#unsettled = false;
        return;
      } catch (thrown) {
        if (thrown instanceof SettleFault) throw thrown.cause;
        const failure = readFailure(thrown);
        const final = failure.tooLarge === true || !failure.retryable;
        // A refusal may concern one event alone: halves find it, and the others are delivered.
        if (final && events.length > 1) return this.#deliverHalves(events);
        if (final) return this.#refuse(events[0]!, describe(thrown), thrown);
        this.#counts.failing = true;
        this.#report(`events could not be delivered yet: ${describe(thrown)}`, thrown);
        if (!this.#stopping) await this.#backoff.pause(attempt, failure.retryAfterMs);
      }
    }
  }

  async #deliverHalves(events: readonly NumberedEvent[]): Promise<void> {
    const middle = Math.ceil(events.length / 2);
    await this.#deliver(events.slice(0, middle));
    // The order of a tenant would change if the second half were sent without the first.
    if (!this.#unsettled) await this.#deliver(events.slice(middle));
  }

  async #send(
    events: readonly NumberedEvent[],
    gaps: ReturnType<SequenceTracker['takeGaps']>,
  ): Promise<readonly ItemResult[]> {
    const results = await this.#settings.transport.send(
      {
        events: events.map(({ event }) => event),
        delivery: { ...this.#account, sequences: events.map(({ sequence }) => sequence), gaps, final: [] },
      },
      this.#abort.signal,
    );
    const given = results.filter((result) => result != null).length;
    if (given === events.length && results.length === given) return results;
    throw new TransportError(`the transport returned ${given} results for ${events.length} events`, {
      retryable: true,
    });
  }

  /** A killed relay loses nothing, since the rows are still there. So the service need not raise an alert for its open end. */
  get #account() {
    return {
      producer_id: this.#producer.producerId,
      service: this.#settings.service,
      ephemeral: true as const,
    };
  }

  async #settle(events: readonly NumberedEvent[], results: readonly ItemResult[]): Promise<void> {
    const refusals: Refusal[] = [];
    let duplicates = 0;
    for (const [index, result] of results.entries()) {
      const { position } = events[index]!;
      if (result.status === 'rejected' || result.status === 'conflict') {
        refusals.push({ position, reason: reasonOf(result) });
      } else if (result.status === 'duplicate') duplicates++;
    }
    await this.#write(events, refusals);
    this.#counts.delivered += events.length - refusals.length;
    this.#counts.duplicates += duplicates;
    for (const { position, reason } of refusals) this.#reportRefusal(events, position, reason);
  }

  /** The service refuses this event whatever batch it is in. Its number will not arrive, so the next batch declares it. */
  async #refuse(event: NumberedEvent, reason: string, cause: unknown): Promise<void> {
    this.#producer.markLost(event.tenant_id, event.sequence, 'batch_refused');
    try {
      await this.#write([event], [{ position: event.position, reason }]);
    } catch (fault) {
      throw fault instanceof SettleFault ? fault.cause : fault;
    }
    this.#unsettled = false;
    this.#reportRefusal([event], event.position, reason, cause);
  }

  async #write(events: readonly NumberedEvent[], refusals: readonly Refusal[]): Promise<void> {
    try {
      await this.#store.settle(
        events.map(({ position }) => position),
        refusals,
      );
    } catch (cause) {
      throw new SettleFault(cause);
    }
    this.#counts.refused += refusals.length;
  }

  /** The account is complete if each number that was assigned has an outcome. */
  async #declareEnd(deadlineMs: number): Promise<void> {
    const final = this.#producer.finalSequences();
    if (this.#unsettled || final.length === 0) return;
    const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(deadlineMs)]);
    for (let at = 0; at < final.length || this.#producer.undeclaredGaps > 0; at += 1_000) {
      const gaps = this.#producer.takeGaps(1_000);
      const delivery = { ...this.#account, sequences: [], gaps, final: final.slice(at, at + 1_000) };
      await this.#settings.transport.send({ events: [], delivery }, signal);
      this.#producer.confirmGaps(gaps.length);
    }
  }

  #pause(): Promise<void> {
    const { clock, pollIntervalMs } = this.#settings;
    return new Promise((resolve) => {
      const cancel = clock.schedule(pollIntervalMs, () => this.#endPause?.(), true);
      this.#endPause = () => {
        cancel();
        this.#endPause = undefined;
        resolve();
      };
    });
  }

  #reportRefusal(events: readonly WaitingEvent[], position: string, reason: string, cause?: unknown): void {
    const event = events.find((one) => one.position === position)!;
    const { audit_id: id, tenant_id: tenantId, event_type: eventType } = event;
    const message = `the audit service refused an event of the outbox (${reason}); it is kept as a dead letter`;
    this.#errors.report(new AuditError('REJECTED_BY_SERVICE', message, { id, tenantId, eventType, cause }));
  }

  #report(message: string, cause: unknown): void {
    const details = { outcome: 'unknown', events: 0, cause } as const;
    this.#errors.report(new AuditError('DELIVERY_FAILED', message, details));
  }
}

/** The service has the events, but the database could not delete them. They are delivered again. */
class SettleFault extends Error {
  constructor(cause: unknown) {
    super('the outbox could not be written', { cause });
  }
}

function reasonOf(result: Extract<ItemResult, { readonly error: unknown }>): string {
  const { status, error } = result;
  const violations = error.violations?.map(({ code, pointer }) => `${code} at ${pointer || '/'}`) ?? [];
  return `${status.toUpperCase()}: ${violations.length > 0 ? violations.join(', ') : error.code}`.slice(
    0,
    2_000,
  );
}

/** The message of a foreign transport's error is not used: it may quote an event. */
function describe(thrown: unknown): string {
  if (thrown instanceof TransportError) return thrown.message;
  const { reason, status } = readFailure(thrown);
  return reason ?? (status === undefined ? "the service can't be reached" : `status ${status}`);
}

/** Creates a relay; call its `start()`. */
export function createOutboxRelay(options: OutboxRelayOptions): OutboxRelay {
  return new OutboxRelay(options);
}
