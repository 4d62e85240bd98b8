import {
  type EvidenceHead,
  type EvidenceLine,
  exportUntilHeader,
  formatExportPosition,
  parseExportPosition,
} from '@tallystick/protocol';
import { filterParametersOf } from '../filter-parameters.ts';
import type { CallOptions, Sender } from '../sender.ts';
import { type ExportQuery, reopened, wholeLines } from './event-export.ts';

/** Which events to export with evidence. */
export type EvidenceQuery = Pick<ExportQuery, 'tenant_id' | 'filters' | 'q' | 'include_reads'>;

/** A part of an export with evidence. */
export type EvidencePart =
  | { readonly kind: 'head'; readonly head: EvidenceHead }
  | { readonly kind: 'record'; readonly line: EvidenceLine; readonly until: number }
  /** The hashes of the multiproof after the last record. */
  | { readonly kind: 'end'; readonly hashes: readonly string[] };

/** The parts of an export with evidence. After a broken connection, a new one continues after the last record. */
export async function* exportEvidence(
  sender: Sender,
  { filters, ...rest }: EvidenceQuery,
  { signal }: CallOptions,
): AsyncGenerator<EvidencePart> {
  let until: string | undefined;
  let after: string | undefined;
  let head: EvidenceHead | undefined;
  const open = async function* (): AsyncGenerator<EvidencePart> {
    const tree = after === undefined ? undefined : treeOf(head!);
    const query = { ...filterParametersOf(filters), ...rest, evidence: true, after, until, tree };
    const response = await sender.send({ path: 'v1/audit/events/export', query, signal }, (answer) => answer);
    until ??= response.headers.get(exportUntilHeader) ?? undefined;
    const last = parseExportPosition(until ?? '');
    if (last === undefined) throw sender.invalid('did not say where the export ends');
    for await (const lines of wholeLines(sender, response)) {
      for (const text of lines.split('\n').slice(0, -1)) {
        const line = sender.parse<EvidenceHead | EvidenceLine | { end: { hashes: string[] } }>(text);
        if (typeof line !== 'object' || line === null)
          throw sender.invalid('sent a line that is not of an export');
        if ('end' in line) {
          if (!Array.isArray(line.end?.hashes)) throw sender.invalid('sent an end without hashes');
          yield { kind: 'end', hashes: line.end.hashes };
          return;
        }
        if ('tallystick_selection' in line) {
          // If a connection breaks before the first record, the next one sends a head again, perhaps with a newer checkpoint.
          head = line;
          yield { kind: 'head', head };
          continue;
        }
        if (head === undefined) throw sender.invalid('sent a record before the head of its export');
        after = formatExportPosition({ epoch: line.epoch, sequence: line.sequence_number });
        yield { kind: 'record', line, until: last.sequence };
      }
    }
    throw new Error('the connection ended before the export');
  };
  // Each connection sends the head again until a record has arrived.
  yield* reopened(open, signal, ({ kind }) => kind !== 'head');
}

/** The tree of a head, as the API takes it: `<epoch>-<size>`. */
function treeOf({ origin, checkpoint }: EvidenceHead): string {
  return `${origin.split('/').at(-1)}-${checkpoint.split('\n')[1]}`;
}
