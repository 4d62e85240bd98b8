/** Moves events from memory to disk. Owned by the emitter's thread. */
import type { Clock } from '../clock.ts';
import type { MemoryBuffer } from '../delivery/memory-buffer.ts';
import type { SequenceTracker } from '../delivery/sequence-tracker.ts';
import { AuditError, type ReportError } from '../errors.ts';
import type { PendingEvent } from '../event/pending-event.ts';
import type { DiskBacklog } from './disk-backlog.ts';
import type { GapsOnDisk } from './gaps-on-disk.ts';
import { eventsPerBacklogMessage, eventsPerMessage, type RequestOf, type SpooledEvent } from './requests.ts';
import { requestFailed, type SpoolConnection } from './spool-connection.ts';

export interface SpoolWriterParts {
  readonly sequences: SequenceTracker;
  readonly maxBytes: number;
  readonly fsyncIntervalMs: number;
  readonly memory: MemoryBuffer;
  readonly backlog: DiskBacklog;
  readonly gaps: GapsOnDisk;
  readonly connection: SpoolConnection;
  readonly opened: Promise<unknown>;
  readonly clock: Clock;
  readonly report: ReportError;
  /** Called with events that were written and are not in memory any more. */
  readonly onWritten: (events: readonly PendingEvent[]) => void;
}

export class SpoolWriter {
  readonly #parts: SpoolWriterParts;
  /** Set while events are written; there is one write at a time. */
  #writing: Promise<void> | undefined;
  /** Set while a write is scheduled. */
  #cancelTimer: (() => void) | undefined;
  /** Position of the last event that was handed to the spool's thread. */
  #handedOver = 0;

  constructor(parts: SpoolWriterParts) {
    this.#parts = parts;
  }

  /** Whether the file contains the event at this position, or is about to. */
  hasHandedOver(position: number): boolean {
    return position <= this.#handedOver;
  }

  /** Whether the file is full when `bytes` are added. */
  isFull(bytes: number): boolean {
    return this.#parts.backlog.bytes + bytes > this.#parts.maxBytes;
  }

  /** Writes after the fsync interval, together with what is emitted until then. */
  writeSoon(): void {
    this.#cancelTimer ??= this.#parts.clock.schedule(
      this.#parts.fsyncIntervalMs,
      () => {
        this.#cancelTimer = undefined;
        void this.write();
      },
      false,
    );
  }

  cancelScheduled(): void {
    this.#cancelTimer?.();
  }

  /** Writes events from memory while there is room on disk, and the current gaps. Never rejects. */
  write(): Promise<void> {
    this.#writing ??= this.#writeAll()
      .catch((cause: unknown) => {
        const message = 'events could not be prepared for the spool; they stay in memory';
        this.#parts.report(new AuditError('SPOOL_FAILED', message, { events: 0, cause }));
      })
      .finally(() => {
        this.#writing = undefined;
        // Losses during the write must be on disk within an interval too.
        if (this.#parts.connection.isOpen && this.#parts.gaps.outdated) this.writeSoon();
      });
    return this.#writing;
  }

  /** Requests that write all of memory that fits, for a process that is about to end. The other events count as lost. */
  lastRequests(): RequestOf<'append'>[] {
    const { memory, connection, gaps, sequences, backlog, maxBytes } = this.#parts;
    const { state } = connection;
    const waiting = memory.peek(memory.size).filter(({ position }) => !this.hasHandedOver(position));
    let bytes = backlog.bytes;
    const fitting = waiting.filter((event) => {
      bytes += event.bytes;
      const fits = state.name === 'open' && bytes <= maxBytes;
      if (!fits && !event.sent) sequences.markLost(event.tenantId, event.sequence, 'shutdown');
      return fits;
    });
    if (state.name !== 'open' || fitting.length === 0) return [];
    const events = fitting.map((event) => ({
      ...spooledEvent(event, state.rowOffset),
      redacted: event.redacted,
    }));
    return [{ op: 'append', producerId: sequences.producerId, gaps: gaps.snapshot().gaps, events }];
  }

  async #writeAll(): Promise<void> {
    const { memory, opened } = this.#parts;
    await opened;
    do {
      if (!(await this.#append(this.#nextEvents()))) return;
    } while (memory.size > 0);
  }

  /** The first events in memory that fit in one message and on the disk. */
  #nextEvents(): PendingEvent[] {
    const { memory } = this.#parts;
    const events: PendingEvent[] = [];
    let bytes = 0;
    const count = memory.size < eventsPerBacklogMessage ? eventsPerMessage : eventsPerBacklogMessage;
    for (const event of memory.peek(count)) {
      if (this.isFull(bytes + event.bytes)) break;
      bytes += event.bytes;
      events.push(event);
    }
    return events;
  }

  /** @returns whether events were written, so that more may follow */
  async #append(events: readonly PendingEvent[]): Promise<boolean> {
    const { memory, backlog, gaps, connection, sequences, onWritten } = this.#parts;
    const { state } = connection;
    if (state.name !== 'open' || (events.length === 0 && !gaps.outdated)) return false;
    const snapshot = gaps.snapshot();
    const last = events.at(-1)?.position;
    const handedOverBefore = this.#handedOver;
    this.#handedOver = last ?? handedOverBefore;
    const response = await connection.request<'append'>({
      op: 'append',
      producerId: sequences.producerId,
      gaps: snapshot.gaps,
      events: events.map((event) => ({
        ...spooledEvent(event, state.rowOffset),
        redacted: event.redacted,
      })),
    });
    if (response === requestFailed) {
      this.#handedOver = handedOverBefore;
      return false;
    }
    // Durable now: a crash after this line loses none of these events and gaps.
    snapshot.written();
    const written = memory.shiftThrough(last ?? 0);
    for (const event of written) backlog.add(event);
    onWritten(written);
    return events.length > 0;
  }
}

/** An event of this process as a row of the file. */
export function spooledEvent(event: PendingEvent, rowOffset: number): SpooledEvent {
  const { position, tenantId, sequence, id, eventType, createdAt, bytes, text } = event;
  return { row: rowOffset + position, tenantId, sequence, id, eventType, createdAt, bytes, text };
}
