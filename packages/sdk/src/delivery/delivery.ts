/**
 * The one pipeline behind every face of the SDK: number, keep, send, account. Everything in it belongs to the
 * emitter's thread.
 */
import type { Clock } from '../clock.ts';
import { AuditError } from '../errors.ts';
import type { EncodedEvent } from '../event/encoded-event.ts';
import type { GapReason, Transport } from '../transport/transport.ts';
import type { Counters } from './counters.ts';
import type { Entry, Load, Outbox, Waiter } from './entry.ts';
import type { Ledger } from './ledger.ts';
import { Pump, type PumpOptions } from './pump.ts';
import type { DeliveryReport } from './report.ts';
import { identity, type Report, Settlement } from './settlement.ts';

export interface DeliveryParts {
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly transport: Transport;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: Report;
  readonly prepare: (entries: Load['entries']) => Promise<void>;
  readonly onSend?: ((seconds: number) => void) | undefined;
}

/** The service takes this many declarations with one batch. */
const maxFinalsPerBatch = 1_000;
/** Longer than a disk gets to answer before it counts as dead. */
const outboxGraceMs = 15_000;
/** What a service that was away gets to show that it is back, once the emitter closes. */
const lastTryMs = 2_000;
/** What a transport gets to notice that it was aborted. */
const abortGraceMs = 1_000;

export class Delivery {
  readonly #service: string;
  readonly #parts: DeliveryParts;
  readonly #pump: Pump;
  /** Events that entered and left the outbox. First in, first out, so these two say which have left. */
  #pushed = 0;
  #removed = 0;
  readonly #watchers = new Set<() => void>();
  #closed: Promise<DeliveryReport> | undefined;

  constructor(options: PumpOptions, parts: DeliveryParts) {
    this.#service = options.service;
    this.#parts = parts;
    const settlement = new Settlement(parts.counters, parts.report);
    const onProgress = (removed: number) => {
      this.#removed += removed;
      for (const watch of this.#watchers) watch();
    };
    this.#pump = new Pump(options, { ...parts, settlement, onProgress });
    parts.outbox.onChange = () => onProgress(0);
    void parts.outbox.opened.then((inherited) => {
      parts.counters.inherited += inherited;
      this.#pushed += inherited;
      if (inherited > 0 || parts.outbox.owes) this.#pump.demand();
    });
  }

  /** Takes an event over. The result says why it was dropped, or is `undefined` where it was kept. */
  accept(event: Entry, waiter: Waiter | undefined): GapReason | undefined {
    const { ledger, outbox, counters } = this.#parts;
    counters.emitted++;
    if (this.#closed !== undefined) {
      counters.drop('shutdown');
      return 'shutdown';
    }
    const sequence = ledger.number(event.tenantId);
    event.sequence = sequence;
    event.waiter = waiter;
    const full = outbox.push(event);
    if (full !== undefined) {
      ledger.lose(event.tenantId, sequence, full);
      counters.drop(full);
      return full;
    }
    counters.buffered++;
    this.#pushed++;
    if (waiter === undefined) this.#pump.wake();
    else this.#pump.demand();
    return undefined;
  }

  /** Books an event that was refused for its data: its number is given out and declared lost. */
  refuse(event: EncodedEvent): void {
    const { ledger, counters } = this.#parts;
    counters.emitted++;
    counters.rejected++;
    // A tenant that can't exist has no chain that could miss the event.
    if (this.#closed !== undefined || event.violations.some(({ code }) => code === 'TENANT_ID_INVALID'))
      return;
    ledger.lose(event.tenantId, ledger.number(event.tenantId), 'event_invalid');
  }

  /** Sends what was emitted before the call; resolves when that is settled, or safe on disk while the service is away. */
  async flush(deadlineMs: number): Promise<DeliveryReport> {
    await this.#inTime(this.#parts.outbox.opened, deadlineMs);
    const target = this.#pushed;
    if (this.#removed < target && this.#closed === undefined) {
      this.#pump.demand();
      await this.#until(() => this.#removed >= target, deadlineMs);
    }
    return this.report();
  }

  /** Drains, says how many events there were, and lets go. Every call gets the first one's result. */
  close(deadlineMs: number): Promise<DeliveryReport> {
    this.#closed ??= this.#close(deadlineMs);
    return this.#closed;
  }

  /** The last batch failed each of its tries; the service is probed from time to time. */
  get failing(): boolean {
    return this.#pump.failing;
  }

  report(): DeliveryReport {
    const { counters, outbox } = this.#parts;
    const { emitted, inherited, delivered, duplicates, rejected, dropped, unconfirmed } = counters;
    const settled = delivered + rejected + dropped + unconfirmed;
    const spooled = Math.min(outbox.durable, emitted + inherited - settled);
    const pending = emitted + inherited - settled - spooled;
    return { emitted, inherited, delivered, duplicates, rejected, dropped, unconfirmed, spooled, pending };
  }

  async #close(deadlineMs: number): Promise<DeliveryReport> {
    const { clock, outbox, transport, report } = this.#parts;
    const deadline = clock.now() + deadlineMs;
    await this.#inTime(outbox.opened, deadlineMs);
    if (outbox.size > 0 || outbox.owes) {
      const safe = this.#pump.failing && outbox.durable === outbox.size;
      this.#pump.hurry();
      outbox.secure();
      if (safe) await this.#lastTry(Math.min(deadlineMs, lastTryMs));
      await this.#until(() => outbox.size === 0 && !outbox.owes, Math.max(0, deadline - clock.now()));
    }
    const ended = outbox.size === 0 && (await this.#declareEnd(deadline));
    await this.#inTime(this.#pump.stop(), abortGraceMs);
    const closing = outbox.close(ended);
    // Somebody awaits this, so the process must not end over it; the spool's own thread does not hold it.
    await this.#inTime(closing, outboxGraceMs);
    this.#abandon(await closing);
    try {
      await this.#inTime(transport.close(), abortGraceMs);
    } catch (cause) {
      report(new AuditError('DELIVERY_FAILED', 'the transport did not close', { events: 0, cause }));
    }
    return this.report();
  }

  /** With all events settled, the service learns how many there were: only then can it call the producer complete. */
  async #declareEnd(deadline: number): Promise<boolean> {
    const { clock, ledger, report } = this.#parts;
    const final = ledger.final();
    let failure: unknown = new Error('no answer in time');
    try {
      for (let at = 0; at < final.length || ledger.undeclared > 0; at += maxFinalsPerBatch) {
        const gaps = ledger.gaps(maxFinalsPerBatch);
        const delivery = {
          producer_id: ledger.producerId,
          service: this.#service,
          sequences: [],
          gaps,
          final: final.slice(at, at + maxFinalsPerBatch),
        };
        const sent = this.#pump.declare({ events: [], delivery }, (thrown) => {
          failure = thrown;
        });
        if (!(await this.#inTime(sent, Math.max(deadline - clock.now(), abortGraceMs)))) throw failure;
        ledger.declared(gaps.length);
      }
      return true;
    } catch (cause) {
      const message = 'the end of the producer could not be declared; the service will report it as unclosed';
      report(new AuditError('DELIVERY_FAILED', message, { outcome: 'unknown', events: 0, cause }));
      return false;
    }
  }

  #abandon(left: readonly Entry[]): void {
    const { counters, report } = this.#parts;
    for (const entry of left) {
      if (entry.sent) counters.unconfirmed++;
      else counters.drop('shutdown');
      const outcome = entry.sent ? 'unknown' : 'rejected';
      const message = 'the emitter was closed before the event was delivered';
      entry.waiter?.fail(new AuditError('EMITTER_CLOSED', message, { ...identity(entry), outcome }));
    }
    if (left.length > 0) {
      const message = 'events were lost: the emitter was closed before they could be delivered';
      report(new AuditError('EMITTER_CLOSED', message, { events: left.length, outcome: 'unknown' }));
    }
  }

  /** The service was away and everything is on disk: it gets one more try to be back, and not long for it. */
  #lastTry(withinMs: number): Promise<void> {
    const before = this.#pump.tries;
    return new Promise((resolve) => {
      const end = () => {
        cancel();
        this.#watchers.delete(watch);
        resolve();
      };
      const watch = () => {
        if (!this.#pump.failing || this.#pump.tries > before) end();
      };
      const cancel = this.#parts.clock.schedule(withinMs, end, true);
      this.#watchers.add(watch);
    });
  }

  /** Waits for a condition that changes as events leave, for the deadline, or until waiting is pointless. */
  #until(reached: () => boolean, deadlineMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { clock, outbox } = this.#parts;
      const end = () => {
        cancel();
        this.#watchers.delete(watch);
        resolve();
      };
      const watch = () => {
        if (reached() || (this.#pump.failing && outbox.durable === outbox.size)) end();
      };
      const cancel = clock.schedule(deadlineMs, end, true);
      this.#watchers.add(watch);
      watch();
    });
  }

  /** Waits for work that may never end. Whether it ended within the time; throws what it throws. */
  async #inTime(work: Promise<unknown>, ms: number): Promise<boolean> {
    let cancel = () => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#parts.clock.schedule(ms, () => resolve(false), true);
    });
    try {
      return await Promise.race([work.then(() => true), late]);
    } finally {
      cancel();
    }
  }
}
