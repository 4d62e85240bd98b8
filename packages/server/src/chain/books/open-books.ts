import { type KeyState, type LetterState, type Query, readKeys, readLetters } from '@tallystick/verify';
import { ServerError } from '../../errors.ts';
import { type Database, writer } from '../../store/database.ts';
import type { Batch } from '../batch.ts';
import {
  adoptedRecord,
  type BooksOpening,
  booksOpenedRecord,
} from '../service-records/books-opened-record.ts';

/** What opening the books needs. An `AuditService` has all of it. */
export interface BooksTarget {
  readonly database: Database;
  readonly appendRanges: (batches: readonly Batch[]) => Promise<unknown>;
  readonly serviceTenant: string;
}

/** Dead letters and keys that one record puts on record: an entry has about 350 bytes, and an event at most 256 KiB. */
const rowsPerRecord = 200;

const stateSql = `
  select coalesce((select epoch from audit_chain_state where tenant_id = $1), 1) as epoch,
         coalesce((select last_sequence from audit_chain_state where tenant_id = $1), -1) >= 0 as begun,
         exists (select from audit_dead_letters where chain is null)
           or exists (select from audit_api_keys where chain is null) as unrecorded`;

const openedSql = `
  select 1
    from audit_records r
    join audit_chain_ranges g
      on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.tenant_id = $1 and r.epoch = $2 and r.event_type = 'audit.books_opened'
     and r.record::jsonb #>> '{event,metadata,complete}' = 'true' and r.record::jsonb #>> '{ingest,trust}' = 'service'`;

/**
 * Puts dead letters and API keys that have no record on record, in the chain of the service's tenant. They come from an
 * earlier version, or from a time when the chains that had to record them were stopped.
 *
 * Happens once per epoch of that chain: a row without a record that appears later was not written by the service, and stays
 * a finding of the verification. A store without such rows and without that chain is left as it is.
 *
 * A crash leaves some of the rows on record. The same call continues with the others.
 *
 * @throws {ServerError} `CHAIN_STOPPED`, `CLOCK_BEHIND_CHAIN`, `STORE_UNAVAILABLE`
 */
export async function openBooks(target: BooksTarget, now: number): Promise<void> {
  const { database, serviceTenant: chain } = target;
  const [state] = await database.query<{ epoch: number; begun: boolean; unrecorded: boolean }>(
    writer,
    stateSql,
    [chain],
  );
  const { epoch, begun, unrecorded } = state!;
  if (!begun && !unrecorded) return;
  const opening: BooksOpening = { chain, epoch, now };
  const opened = await database.query(writer, openedSql, [chain, epoch]);
  if (opened.length > 0) return;
  const query: Query = (sql, parameters) => database.query(writer, sql, parameters);
  if (unrecorded) {
    for await (const letters of inParts(readLetters(query, 'unrecorded')))
      await adopt(target, opening, letters, []);
    for await (const keys of inParts(readKeys(query, 'unrecorded'))) await adopt(target, opening, [], keys);
  }
  await target.appendRanges([{ items: [booksOpenedRecord(opening)] }]);
}

async function adopt(
  { appendRanges }: BooksTarget,
  opening: BooksOpening,
  letters: readonly LetterState[],
  keys: readonly KeyState[],
): Promise<void> {
  const { chain } = opening;
  await appendRanges([
    {
      items: [adoptedRecord(opening, letters, keys)],
      closeBooks: async (session) => {
        const ids = letters.map(({ id }) => id);
        const marked = await session.query(
          'update audit_dead_letters set chain = $2 where id = any ($1::uuid[]) and chain is null returning 1',
          [ids, chain],
        );
        await session.query('select tally_adopt_api_keys($1::text[], $2)', [keys.map(({ id }) => id), chain]);
        if (marked.length === ids.length) return;
        throw new ServerError('STORE_UNAVAILABLE', 'another process is opening the books just now');
      },
    },
  ]);
}

async function* inParts<T>(rows: AsyncIterable<T>): AsyncGenerator<T[]> {
  let part: T[] = [];
  for await (const row of rows) {
    part.push(row);
    if (part.length < rowsPerRecord) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}
