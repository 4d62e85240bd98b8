/**
 * A queue with its newer part in memory and its older part on disk. Every event gets its position in the queue when it is added,
 * and events are written to disk in that order, so that the order of sending never changes.
 *
 * Owner of all state here is the emitter's thread. It is divided among: the state of the file (`SpoolConnection`), what is on
 * disk (`DiskBacklog`, `GapsOnDisk`), the current write (`SpoolWriter`) and what was already sent (`SpoolReader`). The spool's
 * thread owns the file (`SpoolFile`).
 */

import type { GapReason } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import type { MemoryBuffer } from '../delivery/memory-buffer.ts';
import type { OutboundBatch, Outbox } from '../delivery/outbox.ts';
import type { SequenceTracker } from '../delivery/sequence-tracker.ts';
import { AuditError, type ReportError } from '../errors.ts';
import type { PendingEvent, Waiter } from '../event/pending-event.ts';
import type { RedactionOptions } from '../redaction/options.ts';
import { DeadLetterStore } from './dead-letter-store.ts';
import { DiskBacklog } from './disk-backlog.ts';
import { GapsOnDisk, maxGapsOnDisk } from './gaps-on-disk.ts';
import type { SpoolOptions } from './options.ts';
import { PredecessorGaps } from './predecessor-gaps.ts';
import { eventsPerMessage, gapsPerRead, type SpooledBatch } from './requests.ts';
import { SpoolClient } from './spool-client.ts';
import { SpoolConnection, type SpoolRequests } from './spool-connection.ts';
import { SpoolReader } from './spool-reader.ts';
import { SpoolWriter, spooledEvent } from './spool-writer.ts';

/** How long the end of a process waits for the disk. */
const lastWriteMs = 2_000;

export interface SpoolParts {
  readonly memory: MemoryBuffer;
  readonly sequences: SequenceTracker;
  readonly clock: Clock;
  readonly redaction: RedactionOptions | false;
  readonly report: ReportError;
  /** For tests: replaces the spool's thread. */
  readonly client?: SpoolRequests;
}

export class SpoolOutbox implements Outbox {
  readonly opened: Promise<number>;
  readonly deadLetters: DeadLetterStore;
  onChange: () => void = () => {};
  readonly #options: Required<SpoolOptions>;
  readonly #parts: SpoolParts;
  readonly #connection: SpoolConnection;
  readonly #backlog = new DiskBacklog();
  readonly #gaps: GapsOnDisk;
  readonly #writer: SpoolWriter;
  readonly #reader: SpoolReader;
  /** Position of the last event that was added. */
  #lastPosition = 0;
  /** Callers that wait for events on disk, by position. Those of events in memory are in the events themselves. */
  readonly #waiters = new Map<number, Waiter>();

  constructor(options: Required<SpoolOptions>, parts: SpoolParts) {
    const { directory, shared, maxBytes, fsyncIntervalMs } = options;
    const { memory, sequences, clock, redaction, report } = parts;
    this.#options = options;
    this.#parts = parts;
    const client = parts.client ?? new SpoolClient({ directory, shared, redaction });
    this.#connection = new SpoolConnection(client, report, () => this.onChange());
    this.#gaps = new GapsOnDisk(sequences);
    this.#reader = new SpoolReader(this.#connection, sequences.producerId);
    this.opened = this.#open();
    this.deadLetters = new DeadLetterStore(client, clock, this.opened);
    this.#writer = new SpoolWriter({
      ...{ maxBytes, fsyncIntervalMs, memory, clock, report },
      sequences,
      backlog: this.#backlog,
      gaps: this.#gaps,
      connection: this.#connection,
      opened: this.opened,
      onWritten: (events) => this.#written(events),
    });
  }

  async #open(): Promise<number> {
    const contents = await this.#connection.open();
    if (contents === undefined) return 0;
    this.#backlog.restore(contents);
    return contents.events;
  }

  push(event: PendingEvent): GapReason | undefined {
    const { memory } = this.#parts;
    event.position = this.#lastPosition + 1;
    const always = this.#options.mode === 'always';
    const writeFirst = always && this.#connection.isOpen;
    // With `always`, an event that will not fit on disk must not wait in memory, where a crash would lose it unnoticed.
    const diskFull = this.#writer.isFull(event.bytes + (writeFirst ? memory.bytes : 0));
    if (!memory.hasRoomFor(event.bytes) || (writeFirst && diskFull)) {
      // The caller records the loss. It must be on disk as soon as an event would be.
      this.#writer.writeSoon();
      return diskFull ? 'spool_full' : 'buffer_full';
    }
    this.#lastPosition++;
    memory.push(event);
    if (always) {
      if (memory.size >= eventsPerMessage) void this.#writer.write();
      else this.#writer.writeSoon();
    } else if (memory.fill >= 0.5) void this.#writer.write();
    return undefined;
  }

  async next(maxEvents: number, maxBytes: number): Promise<OutboundBatch | undefined> {
    await this.opened;
    const { memory } = this.#parts;
    if (this.#options.mode === 'always' && this.#backlog.events === 0 && memory.size > 0) {
      await this.#writer.write();
    }
    if (this.#connection.isOpen && (this.#backlog.events > 0 || this.#reader.mayOweDeclarations)) {
      const spooled = await this.#reader.next(maxEvents, maxBytes);
      if (spooled !== undefined) return this.#batchOf(spooled);
      this.onChange();
    }
    return memory.next(maxEvents, maxBytes);
  }

  #batchOf({ producerId, events, gaps, final }: SpooledBatch): OutboundBatch {
    const { sequences } = this.#parts;
    const rowOffset = this.#rowOffset ?? 0;
    const own = producerId === sequences.producerId;
    const complete = events.length === 0 && gaps.length < gapsPerRead;
    return {
      producer: own ? sequences : new PredecessorGaps(producerId, gaps, complete),
      events: events.map((event) => {
        const position = event.row - rowOffset;
        const waiter = this.#waiters.get(position);
        return { ...event, position, waiter, sent: false, redacted: true };
      }),
      final,
    };
  }

  /** The offset of an open file, else `undefined`. */
  get #rowOffset(): number | undefined {
    const { state } = this.#connection;
    return state.name === 'open' ? state.rowOffset : undefined;
  }

  remove(batch: OutboundBatch, refusal?: string): void {
    const { memory } = this.#parts;
    const { events, producer } = batch;
    const last = events.at(-1)?.position;
    const fromMemory = last === undefined ? 0 : memory.shiftThrough(last).length;
    const fromDisk = events.slice(0, events.length - fromMemory);
    for (const event of events) this.#waiters.delete(event.position);
    this.#backlog.remove(fromDisk);
    if (this.#options.mode === 'always' && memory.size > 0) this.#writer.writeSoon();

    const predecessor = producer instanceof PredecessorGaps ? producer : undefined;
    const gapsDeclared = predecessor?.confirmedCount ?? this.#gaps.takeDeclared();
    const rowOffset = this.#rowOffset;
    if (rowOffset === undefined) return;
    const inFile = fromDisk.length > 0 || last === undefined || this.#writer.hasHandedOver(last);
    if (!inFile && gapsDeclared === 0 && refusal === undefined && predecessor === undefined) return;

    const throughRow = last === undefined ? 0 : rowOffset + last;
    this.#reader.settleThrough(throughRow);
    void this.#connection.request<'settle'>({
      op: 'settle',
      producerId: producer.producerId,
      throughRow,
      gapsDeclared,
      lost: predecessor?.lost ?? [],
      refused:
        refusal === undefined
          ? undefined
          : { reason: refusal, events: events.map((event) => spooledEvent(event, rowOffset)) },
    });
    if (predecessor?.complete !== true) return;
    const { producerId } = predecessor;
    this.#reader.forgetProducer(producerId);
    void this.#connection.request<'forgetProducer'>({ op: 'forgetProducer', producerId });
  }

  persist(): void {
    if (this.#parts.memory.size > 0) void this.#writer.write();
  }

  #written(events: readonly PendingEvent[]): void {
    for (const { position, waiter } of events) {
      if (waiter !== undefined) this.#waiters.set(position, waiter);
    }
    this.onChange();
  }

  async close(endDeclared: boolean): Promise<readonly PendingEvent[]> {
    const { memory, sequences } = this.#parts;
    this.#writer.cancelScheduled();
    await this.opened;
    await this.#writer.write();
    const left = memory.shift(memory.size);
    for (const event of left) {
      if (!event.sent) sequences.markLost(event.tenantId, event.sequence, 'shutdown');
    }
    if (this.#connection.isOpen) {
      await this.#recordEnd(endDeclared);
      await this.#connection.request<'close'>({ op: 'close' });
    }
    for (const waiter of this.#waiters.values()) {
      const message = 'the emitter was closed; the event is on disk and will be delivered later';
      waiter.reject(new AuditError('EMITTER_CLOSED', message, { outcome: 'unknown' }));
    }
    this.#connection.close();
    return left;
  }

  async recordEnd(): Promise<void> {
    await this.opened;
    if (this.#connection.isOpen) await this.#recordEnd(false);
  }

  recordEndNow(): void {
    const { sequences } = this.#parts;
    const appends = this.#writer.lastRequests();
    const gaps = sequences.copyUndeclaredGaps(maxGapsOnDisk);
    const final = sequences.finalSequences();
    const end = { op: 'recordEnd', producerId: sequences.producerId, gaps, final } as const;
    this.#connection.requestNow([...appends, end], lastWriteMs);
  }

  /** A crash before this leaves the producer without an end; the service then reports it as unclosed. */
  async #recordEnd(endDeclared: boolean): Promise<void> {
    const { sequences } = this.#parts;
    const { producerId } = sequences;
    if (endDeclared) {
      await this.#connection.request<'forgetProducer'>({ op: 'forgetProducer', producerId });
      return;
    }
    const gaps = sequences.copyUndeclaredGaps(maxGapsOnDisk);
    const final = sequences.finalSequences();
    await this.#connection.request<'recordEnd'>({ op: 'recordEnd', producerId, gaps, final });
  }

  get size(): number {
    return this.#parts.memory.size + (this.#connection.isOpen ? this.#backlog.events : 0);
  }

  get spooledEvents(): number {
    return this.#backlog.events;
  }

  get spooledBytes(): number {
    return this.#backlog.bytes;
  }

  get spoolCapacityBytes(): number {
    return this.#connection.isOpen ? this.#options.maxBytes : 0;
  }

  get owesDeclarations(): boolean {
    return this.#connection.isOpen && this.#reader.mayOweDeclarations;
  }

  get oldest(): number | undefined {
    return this.#backlog.oldest ?? this.#parts.memory.oldest;
  }
}
