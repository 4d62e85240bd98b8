/**
 * Memory in front, disk behind. Every event has its place in one queue from the moment it is pushed; what is on disk
 * is always the older part of it, so nothing overtakes, whenever memory is written. Owned by the emitter's thread; the
 * file by the spool's.
 */
import type { Clock } from '../clock.ts';
import type { MemoryBuffer } from '../delivery/buffer.ts';
import type { Entry, Load, Outbox, Waiter } from '../delivery/entry.ts';
import type { Ledger } from '../delivery/ledger.ts';
import type { Report } from '../delivery/settlement.ts';
import { AuditError } from '../errors.ts';
import type { RedactionOptions } from '../redaction/options.ts';
import type { GapReason } from '../transport/transport.ts';
import type { SpoolOptions } from './options.ts';
import { PredecessorLedger } from './predecessor-ledger.ts';
import {
  type BuriedEvent,
  eventsPerBacklogMessage,
  eventsPerMessage,
  eventsPerRead,
  gapsPerRead,
  type Request,
  type SpooledEvent,
  type SpooledLoad,
} from './protocol.ts';
import { SpoolClient } from './spool-client.ts';

export interface SpoolParts {
  readonly memory: MemoryBuffer;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly redaction: RedactionOptions | false;
  readonly report: Report;
  readonly client?: Pick<SpoolClient, 'ask' | 'end' | 'dead'>;
}

const maxGaps = 10_000;
/** More than the spool's thread gets to open the file and to answer. */
const longestAwaitMs = 30_000;

export class SpoolOutbox implements Outbox {
  readonly opened: Promise<number>;
  onChange: () => void = () => {};
  readonly #options: Required<SpoolOptions>;
  readonly #parts: SpoolParts;
  readonly #client: Pick<SpoolClient, 'ask' | 'end' | 'dead'>;
  /** Whether the file is open. Where it can't be, memory alone goes on. */
  #usable = false;
  /** Place on disk of the entry numbered 0 by this process. */
  #base = 0;
  #pushed = 0;
  /** Entries up to this number were handed to the spool's thread. */
  #posted = 0;
  /** Place on disk up to which all is done with. A full disk can't even delete: what it keeps is not read again. */
  #settled = 0;
  /** Producers of ended processes whose ends were declared; the same holds for them. */
  readonly #ended = new Set<string>();
  #diskEvents = 0;
  #diskBytes = 0;
  #diskOldest: number | undefined;
  /** A process before this one left something to declare. */
  #owes = false;
  #gapsOnDisk = 0;
  #lossesOnDisk = 0;
  readonly #waiters = new Map<number, Waiter>();
  #writing: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(options: Required<SpoolOptions>, parts: SpoolParts) {
    this.#options = options;
    this.#parts = parts;
    this.#client =
      parts.client ??
      new SpoolClient({
        directory: options.directory,
        shared: options.shared,
        redaction: parts.redaction,
      });
    this.opened = this.#open();
  }

  push(entry: Entry): GapReason | undefined {
    const { memory } = this.#parts;
    entry.row = this.#pushed + 1;
    const always = this.#options.mode === 'always';
    // What the disk has no room for must not wait in memory either, where a crash would lose it unsaid.
    const full = this.#full(entry.bytes + (always && this.#usable ? memory.bytes : 0));
    if (!memory.has(entry.bytes) || (always && this.#usable && full)) {
      // The loss is declared by our successor if need be, so it goes to disk like an event.
      this.#writeSoon();
      return full ? 'spool_full' : 'buffer_full';
    }
    this.#pushed++;
    memory.push(entry);
    if (always) {
      if (memory.size >= eventsPerMessage) void this.#write();
      else this.#writeSoon();
    } else if (memory.fill >= 0.5) void this.#write();
    return undefined;
  }

  async next(maxEvents: number, maxBytes: number): Promise<Load | undefined> {
    await this.opened;
    const { memory } = this.#parts;
    if (this.#options.mode === 'always' && this.#diskEvents === 0 && memory.size > 0) await this.#write();
    if (this.#usable && (this.#diskEvents > 0 || this.#owes)) {
      const spooled = await this.#read(maxEvents, maxBytes);
      if (spooled !== undefined && (spooled.events.length > 0 || !this.#ended.has(spooled.producerId))) {
        return this.#loadOf(spooled);
      }
      this.#owes = false;
      this.onChange();
    }
    return memory.next(maxEvents, maxBytes);
  }

  remove(load: Load, buried?: string): void {
    const { memory, ledger } = this.#parts;
    const { entries } = load;
    const last = entries.at(-1)?.row ?? -this.#base;
    const fromDisk = entries.length - memory.shiftThrough(last);
    for (const entry of entries) this.#waiters.delete(entry.row);
    this.#diskEvents -= fromDisk;
    for (const entry of entries.slice(0, fromDisk)) this.#diskBytes -= entry.bytes;
    this.#diskOldest = entries.at(-1)?.createdAt;
    if (this.#options.mode === 'always' && memory.size > 0) this.#writeSoon();
    const foreign = load.ledger instanceof PredecessorLedger ? load.ledger : undefined;
    const declared = foreign?.declaredCount ?? this.#takeDeclared();
    if (
      !this.#usable ||
      (fromDisk === 0 && last > this.#posted && declared === 0 && buried === undefined && !foreign)
    )
      return;
    const { producerId } = foreign ?? ledger;
    this.#settled = Math.max(this.#settled, last + this.#base);
    void this.#ask<'settle'>(
      {
        op: 'settle',
        producerId,
        upTo: last + this.#base,
        gapsDeclared: declared,
        lost: foreign?.lost ?? [],
        buried:
          buried === undefined
            ? undefined
            : { reason: buried, events: entries.map((entry) => this.#spooled(entry)) },
      },
      undefined,
    );
    if (foreign?.ends !== true) return;
    this.#ended.add(producerId);
    void this.#ask<'forget'>({ op: 'forget', producerId }, undefined);
  }

  secure(): void {
    if (this.#parts.memory.size > 0) void this.#write();
  }

  async close(ended: boolean): Promise<readonly Entry[]> {
    const { memory, ledger } = this.#parts;
    this.#cancelTimer?.();
    await this.opened;
    await this.#write();
    const left = memory.shift(memory.size);
    for (const entry of left) {
      if (!entry.sent) ledger.lose(entry.tenantId, entry.sequence, 'shutdown');
    }
    if (this.#usable) {
      const { producerId } = ledger;
      if (ended) await this.#ask<'forget'>({ op: 'forget', producerId }, undefined);
      else {
        const gaps = ledger.undeclaredGaps(maxGaps);
        await this.#ask<'end'>({ op: 'end', producerId, gaps, final: ledger.final() }, undefined);
      }
      await this.#ask<'close'>({ op: 'close' }, undefined);
    }
    for (const waiter of this.#waiters.values()) {
      const message = 'the emitter was closed; the event is on disk and will be delivered later';
      waiter.fail(new AuditError('EMITTER_CLOSED', message, { outcome: 'unknown' }));
    }
    this.#usable = false;
    this.#client.end();
    return left;
  }

  /** Throws an {@link AuditError} where the spool is out of use. */
  async letters(after: number, limit: number): Promise<readonly BuriedEvent[]> {
    return this.#awaited<'letters'>({ op: 'letters', after, limit });
  }

  /** How many there were. Throws as {@link letters} does. */
  async purge(places: readonly number[] | 'all'): Promise<number> {
    return this.#awaited<'purge'>({ op: 'purge', places });
  }

  /** Somebody awaits this, so the process must not end over it; the spool's own thread does not hold it. */
  async #awaited<Op extends Request['op']>(request: Extract<Request, { op: Op }>) {
    const release = this.#parts.clock.schedule(longestAwaitMs, () => {}, true);
    try {
      await this.opened;
      return await this.#client.ask<Op>(request);
    } finally {
      release();
    }
  }

  get size(): number {
    return this.#parts.memory.size + (this.#usable ? this.#diskEvents : 0);
  }

  get durable(): number {
    return this.#diskEvents;
  }

  get durableBytes(): number {
    return this.#diskBytes;
  }

  get diskLimit(): number {
    return this.#usable ? this.#options.maxBytes : 0;
  }

  get owes(): boolean {
    return this.#owes;
  }

  get oldest(): number | undefined {
    return this.#diskEvents > 0 ? this.#diskOldest : this.#parts.memory.oldest;
  }

  async #open(): Promise<number> {
    try {
      const opened = await this.#client.ask<'open'>({ op: 'open' });
      const { nextRow, events, bytes, oldest, unreadable = [] } = opened;
      for (const what of unreadable) {
        const message = `events of an ended emitter stay where they are: ${what}`;
        this.#parts.report(new AuditError('SPOOL_FAILED', message, { events: 0 }));
      }
      this.#base = nextRow - 1;
      this.#diskEvents = events;
      this.#diskBytes = bytes;
      this.#diskOldest = oldest;
      this.#owes = true;
      this.#usable = true;
      return events;
    } catch (error) {
      this.#parts.report(error as AuditError);
      return 0;
    }
  }

  #full(bytes: number): boolean {
    return this.#diskBytes + bytes > this.#options.maxBytes;
  }

  #writeSoon(): void {
    this.#cancelTimer ??= this.#parts.clock.schedule(
      this.#options.fsyncIntervalMs,
      () => {
        this.#cancelTimer = undefined;
        void this.#write();
      },
      false,
    );
  }

  /** Moves memory to disk, as far as there is room. Resolves in any case; one at a time. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll()
      .catch((cause: unknown) => {
        const message = 'events could not be made ready for the spool; they stay in memory';
        this.#parts.report(new AuditError('SPOOL_FAILED', message, { events: 0, cause }));
      })
      .finally(() => {
        this.#writing = undefined;
        // Losses of the meantime are declared by our successor if need be, so they go to disk too.
        if (this.#usable && this.#parts.ledger.losses !== this.#lossesOnDisk) this.#writeSoon();
      });
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    await this.opened;
    const { memory } = this.#parts;
    do {
      const entries: Entry[] = [];
      let bytes = 0;
      const count = memory.size < eventsPerBacklogMessage ? eventsPerMessage : eventsPerBacklogMessage;
      for (const entry of memory.peek(count)) {
        if (this.#full(bytes + entry.bytes)) break;
        bytes += entry.bytes;
        entries.push(entry);
      }
      if (!(await this.#append(entries))) return;
    } while (memory.size > 0);
  }

  async #append(entries: readonly Entry[]): Promise<boolean> {
    const { memory, ledger } = this.#parts;
    const { losses } = ledger;
    if (!this.#usable || (entries.length === 0 && losses === this.#lossesOnDisk)) return false;
    const gaps = ledger.undeclaredGaps(maxGaps);
    const events = entries.map((entry) => ({ ...this.#spooled(entry), prepared: entry.prepared }));
    const before = this.#posted;
    this.#posted = entries.at(-1)?.row ?? before;
    const request: Request = { op: 'append', producerId: ledger.producerId, events, gaps };
    if ((await this.#ask<'append'>(request, failed)) === failed) {
      this.#posted = before;
      return false;
    }
    // On disk now: a crash loses none of these.
    this.#gapsOnDisk = gaps.length;
    this.#lossesOnDisk = losses;
    for (const entry of memory.shift(memory.countThrough(entries.at(-1)?.row ?? 0))) {
      this.#diskEvents++;
      this.#diskBytes += entry.bytes;
      this.#diskOldest ??= entry.createdAt;
      if (entry.waiter !== undefined) this.#waiters.set(entry.row, entry.waiter);
    }
    this.onChange();
    return entries.length > 0;
  }

  /** What is at the head, a message at a time, so that the application's own work goes on in between. */
  async #read(maxEvents: number, maxBytes: number): Promise<SpooledLoad | undefined> {
    const { producerId: ownProducerId } = this.#parts.ledger;
    const events: SpooledEvent[] = [];
    let head: SpooledLoad | undefined;
    let bytesLeft = maxBytes;
    for (;;) {
      const asked = Math.min(eventsPerRead, maxEvents - events.length);
      const request = {
        op: 'read',
        ownProducerId,
        after: events.at(-1)?.row ?? 0,
        settled: this.#settled,
        maxEvents: asked,
        maxBytes: bytesLeft,
      } as const;
      const more = await this.#ask<'read'>(request, failed);
      // Nothing may overtake what can't be read, and what is delivered takes with it all that stands before it.
      if (more === failed && head === undefined) this.#leaveDisk();
      if (typeof more !== 'object') break;
      head ??= more;
      if (more.producerId !== head.producerId) break;
      for (const event of more.events) {
        if (events.length > 0 && event.bytes > bytesLeft) return { ...head, events };
        bytesLeft -= event.bytes;
        events.push(event);
      }
      if (more.events.length < asked || events.length >= maxEvents) break;
    }
    return head === undefined ? undefined : { ...head, events };
  }

  #takeDeclared(): number {
    const declared = Math.max(0, this.#gapsOnDisk - this.#parts.ledger.undeclared);
    this.#gapsOnDisk -= declared;
    return declared;
  }

  #spooled(entry: Entry): SpooledEvent {
    const { row, tenantId, sequence, id, eventType, createdAt, bytes, text } = entry;
    return { row: row + this.#base, tenantId, sequence, id, eventType, createdAt, bytes, text };
  }

  #loadOf({ producerId, events, gaps, final }: SpooledLoad): Load {
    const entries = events.map((event) => {
      const row = event.row - this.#base;
      return { ...event, row, waiter: this.#waiters.get(row), sent: false, prepared: true };
    });
    const own = producerId === this.#parts.ledger.producerId;
    return {
      ledger: own
        ? this.#parts.ledger
        : new PredecessorLedger(producerId, gaps, entries.length === 0 && gaps.length < gapsPerRead),
      entries,
      final,
    };
  }

  /** Asks the spool's thread; a failure is reported, and answered with `otherwise`. */
  async #ask<Op extends Request['op']>(
    request: Extract<Request, { op: Op }>,
    otherwise: undefined | typeof failed,
  ) {
    try {
      return await this.#client.ask<Op>(request);
    } catch (error) {
      if (this.#usable) this.#parts.report(error as AuditError);
      if (this.#client.dead) this.#leaveDisk();
      return otherwise;
    }
  }

  /** What is on disk stays there for the next process; from here on memory is all there is. */
  #leaveDisk(): void {
    this.#usable = false;
    this.#owes = false;
    this.onChange();
  }
}

const failed = Symbol('failed');
