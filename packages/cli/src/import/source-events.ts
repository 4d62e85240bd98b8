import { createHash } from 'node:crypto';
import {
  type AuditEvent,
  AuditValidationError,
  canonicalize,
  findViolations,
  limits,
} from '@tallystick/event';
import { ByteOrderMark } from './byte-order-mark.ts';
import { readDamaged, type SourceFile } from './files.ts';
import type { Format } from './formats.ts';
import { type MapOptions, withoutOriginal } from './mapper.ts';
import { Ordinals } from './ordinals.ts';
import { type Fault, isFault, type Position, type Scanner, type Slice } from './slice.ts';
import { MappingError, readSource } from './source-json.ts';

/** A source event that did not become a record, and why. It contains nothing of the event itself. */
export interface Rejection extends Position {
  readonly file: string;
  readonly code: string;
  readonly reason: string;
}

/** An event that is ready to be submitted. */
export interface MappedEvent extends Position {
  readonly file: string;
  /** The event as canonical JSON (RFC 8785), valid and within the limits. */
  readonly canonical: string;
}

export interface ReadOptions {
  readonly format: Format;
  readonly map: MapOptions;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Receives how many bytes of the file were read, before decompression. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * The events of one file in order, and a rejection in the place of each that can't be read or mapped. Damage in a gzip file is
 * one rejection: events before it and after it are read. Never throws for the content of the file.
 */
export async function* readSourceEvents(
  file: SourceFile,
  options: ReadOptions,
): AsyncGenerator<MappedEvent | Rejection> {
  const ordinals = new Ordinals();
  const read = (found: Slice | Fault) =>
    isFault(found)
      ? reject(file, found, found.fault, found.reason)
      : mapSlice(file, found, ordinals, options);
  let scanner = options.format.createScanner();
  let mark = new ByteOrderMark();
  /** Lines before the content that the scanner has seen. */
  let linesBefore = 0;
  let lines = 0;
  const placed = (found: Slice | Fault) => read({ ...found, line: found.line + linesBefore });
  let lastLine = 1;
  try {
    for await (const part of readDamaged(file, options.onBytes)) {
      if (part instanceof Uint8Array) {
        for (const found of scanner.scan(mark.skip(part))) {
          const event = placed(found);
          lastLine = event.line;
          yield event;
        }
        lines += countLines(part);
        continue;
      }
      if (part.isGap) {
        yield* endAtDamage(scanner, placed);
        scanner = options.format.createScanner();
        mark = new ByteOrderMark();
        linesBefore = lines;
      }
      const code = part.endsEarly ? 'SOURCE_TRUNCATED' : 'SOURCE_UNREADABLE';
      yield reject(
        file,
        { line: lastLine },
        code,
        `${part.reason}, after this line, at byte ${part.offset} of the file`,
      );
    }
    for (const found of scanner.end()) yield placed(found);
  } catch (error) {
    // The file can't be read. That counts as a rejection, and the next file follows.
    yield* endAtDamage(scanner, placed);
    const { message } = error as NodeJS.ErrnoException;
    yield reject(
      file,
      { line: lastLine },
      'SOURCE_UNREADABLE',
      `the rest of the file after this line can't be read: ${message}`,
    );
  }
}

/** What a scanner still holds when content is missing: a whole event is read, and half an event belongs to the damage. */
function* endAtDamage(
  scanner: Scanner,
  read: (found: Slice | Fault) => MappedEvent | Rejection,
): Generator<MappedEvent> {
  for (const found of scanner.end()) {
    const event = read(found);
    if ('canonical' in event) yield event;
  }
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) count++;
  return count;
}

function mapSlice(
  file: SourceFile,
  slice: Slice,
  ordinals: Ordinals,
  options: ReadOptions,
): MappedEvent | Rejection {
  try {
    const source = readSource(slice.bytes);
    const counts = options.format.countsEqualLines && source.value.audit_id === undefined;
    const ordinal = counts ? ordinals.next(createHash('sha256').update(source.original).digest()) : 0;
    const event = options.format.map(source, options.map, { origin: file.origin ?? file.name, ordinal });
    const violation = findViolations(event, { now: options.now() })[0];
    if (violation !== undefined) {
      const at = violation.pointer === '' ? '' : `${violation.pointer} `;
      return reject(file, slice, violation.code, at + violation.message);
    }
    const canonical = fitting(event);
    if (typeof canonical === 'number') {
      const reason = `becomes an event of ${canonical} bytes; an event has at most ${limits.maxEventBytes}`;
      return reject(file, slice, 'EVENT_TOO_LARGE', reason);
    }
    return { file: file.name, ...positionOf(slice), canonical };
  } catch (error) {
    if (error instanceof MappingError) return reject(file, slice, error.code, error.message);
    if (error instanceof AuditValidationError) {
      return reject(file, slice, error.code, error.violations[0]!.message);
    }
    throw error;
  }
}

/** The canonical text of the event, with as much of its source as fits. Its size, if it is too large in any case. */
function fitting(event: AuditEvent): string | number {
  let size = 0;
  for (const how of ['text', 'base64', 'hash'] as const) {
    const form = how === 'text' ? event : withoutOriginal(event, how);
    if (form === undefined) break;
    const canonical = canonicalize(form);
    size = Buffer.byteLength(canonical);
    if (size <= limits.maxEventBytes) return canonical;
  }
  return size;
}

function reject(file: SourceFile, at: Position, code: string, reason: string): Rejection {
  return { file: file.name, ...positionOf(at), code, reason };
}

function positionOf({ line, element }: Position): Position {
  return { line, ...(element !== undefined && { element }) };
}
