import { createHash } from 'node:crypto';
import { AuditValidationError, canonicalize, findViolations, limits } from '@tallystick/event';
import { openSource, type SourceFile } from './files.ts';
import type { Format } from './formats.ts';
import type { MapOptions } from './mapper.ts';
import { Ordinals } from './ordinals.ts';
import { isFault, type Position, type Slice } from './slice.ts';
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

/** The events of one file in order, and a rejection in the place of each that can't be read or mapped. Never throws for the content of the file. */
export async function* readSourceEvents(
  file: SourceFile,
  options: ReadOptions,
): AsyncGenerator<MappedEvent | Rejection> {
  const scanner = options.format.createScanner();
  const ordinals = new Ordinals();
  const { chunks, bytesRead } = openSource(file);
  let last: Position = { line: 1 };
  try {
    for await (const chunk of chunks) {
      options.onBytes?.(bytesRead());
      for (const found of scanner.scan(chunk)) {
        last = found;
        yield isFault(found)
          ? reject(file, found, found.fault, found.reason)
          : mapSlice(file, found, ordinals, options);
      }
    }
    for (const found of scanner.end()) {
      yield isFault(found)
        ? reject(file, found, found.fault, found.reason)
        : mapSlice(file, found, ordinals, options);
    }
  } catch (error) {
    // Events before a damaged block of a gzip file are imported. The damage counts as a rejection, and the next file follows.
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === 'Z_BUF_ERROR' ? 'SOURCE_TRUNCATED' : 'SOURCE_UNREADABLE';
    yield reject(
      file,
      { line: last.line },
      what,
      `the rest of the file after this line can't be read: ${message}`,
    );
  }
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
    const ordinal = counts ? ordinals.next(createHash('sha256').update(slice.bytes).digest()) : 0;
    const event = options.format.map(source, options.map, ordinal);
    const violation = findViolations(event, { now: options.now() })[0];
    if (violation !== undefined) {
      const at = violation.pointer === '' ? '' : `${violation.pointer} `;
      return reject(file, slice, violation.code, at + violation.message);
    }
    const canonical = canonicalize(event);
    const size = Buffer.byteLength(canonical);
    if (size > limits.maxEventBytes) {
      const reason = `becomes an event of ${size} bytes; an event has at most ${limits.maxEventBytes}`;
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

function reject(file: SourceFile, at: Position, code: string, reason: string): Rejection {
  return { file: file.name, ...positionOf(at), code, reason };
}

function positionOf({ line, element }: Position): Position {
  return { line, ...(element !== undefined && { element }) };
}
