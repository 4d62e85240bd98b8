import {
  entryOfAccount,
  type KeyState,
  type LetterState,
  type Query,
  readKeys,
  readLetters,
  readUnrecordedAccounts,
} from '@tallystick/verify';
import { ServerError } from '../../errors.ts';
import { type Database, writer } from '../../store/database.ts';
import type { Batch, EventItem } from '../batch.ts';
import {
  accountsOpenedRecord,
  adoptedAccountsRecords,
  adoptedRecord,
  type BooksOpening,
  booksOpenedRecord,
  deskOpenedRecord,
} from '../service-records/books-opened-record.ts';
import { adoptDeskRows } from './adopt-desk-rows.ts';

/** What opening the books needs. An `AuditService` has all of it. */
export interface BooksTarget {
  readonly database: Database;
  readonly appendRanges: (batches: readonly Batch[]) => Promise<unknown>;
  readonly serviceTenant: string;
  /** See `withOwnId`. */
  readonly recordIdSecret?: Uint8Array | undefined;
}

/** Dead letters and keys that one record puts on record: an entry has about 350 bytes, and an event at most 256 KiB. */
const rowsPerRecord = 200;

const stateSql = `
  select coalesce((select epoch from audit_chain_state where tenant_id = $1), 1) as epoch,
         coalesce((select last_sequence from audit_chain_state where tenant_id = $1), -1) >= 0 as begun,
         exists (select from audit_dead_letters where chain is null)
           or exists (select from audit_api_keys where chain is null) as unrecorded,
         exists (select from audit_producers where not on_record) as unrecorded_accounts,
         exists (select from audit_operations where of_earlier_version)
           or exists (select from audit_approval_rules where of_earlier_version) as desk_rows`;

const openedSql = `
  select bool_or(r.record::jsonb #>> '{event,metadata,complete}' = 'true') as rows,
         bool_or(r.record::jsonb #>> '{event,metadata,accounts_complete}' = 'true') as accounts,
         bool_or(r.record::jsonb #>> '{event,metadata,desk_complete}' = 'true') as desk
    from audit_records r
    join audit_chain_ranges g
      on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.tenant_id = $1 and r.epoch = $2 and r.event_type = 'audit.books_opened'
     and r.record::jsonb #>> '{ingest,trust}' = 'service'`;

/**
 * Puts dead letters, API keys and accounts that have no record on record, in the chain of the service's tenant. They come from an
 * earlier version, or from a time when the chains that had to record them were stopped. Rules and operations of an earlier version go to
 * the chains that record their changes.
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
  const [state] = await database.query<BooksState>(writer, stateSql, [chain]);
  const { epoch, begun, unrecorded, unrecorded_accounts, desk_rows } = state!;
  if (!begun && !unrecorded && !unrecorded_accounts && !desk_rows) return;
  const opening: BooksOpening = { chain, epoch, now };
  const [opened] = await database.query<OpenedBooks>(writer, openedSql, [chain, epoch]);
  const { rows, accounts, desk } = opened!;
  if (rows === true && accounts === true && desk === true) return;
  const query: Query = (sql, parameters) => database.query(writer, sql, parameters);
  if (unrecorded && rows !== true) {
    for await (const letters of inParts(readLetters(query, 'unrecorded')))
      await adopt(target, opening, letters, []);
    for await (const keys of inParts(readKeys(query, 'unrecorded'))) await adopt(target, opening, [], keys);
  }
  if (unrecorded_accounts && accounts !== true) await adoptAccounts(target, opening);
  if (desk_rows && desk !== true) await adoptDeskRows(target, now);
  await target.appendRanges([{ items: completedRecords(opening, opened!) }]);
}

/** Earlier versions have opened some of the books. */
function completedRecords(opening: BooksOpening, { rows, accounts, desk }: OpenedBooks): EventItem[] {
  if (rows !== true) return [booksOpenedRecord(opening)];
  return [
    ...(accounts === true ? [] : [accountsOpenedRecord(opening)]),
    ...(desk === true ? [] : [deskOpenedRecord(opening)]),
  ];
}

interface BooksState {
  readonly epoch: number;
  readonly begun: boolean;
  readonly unrecorded: boolean;
  readonly unrecorded_accounts: boolean;
  readonly desk_rows: boolean;
}

/** Which books are opened in an epoch. */
interface OpenedBooks {
  readonly rows: boolean | null;
  readonly accounts: boolean | null;
  readonly desk: boolean | null;
}

const adoptAccountsSql = `
  update audit_producers p set on_record = true
    from jsonb_to_recordset($1::jsonb) as k(submitter text, producer_id uuid, tenant_id text)
   where (p.submitter, p.producer_id, p.tenant_id) = (k.submitter, k.producer_id, k.tenant_id) and not p.on_record
  returning 1`;

/** A change that is chained between reading an account and recording it has its own record: entries only add. */
async function adoptAccounts({ database, appendRanges }: BooksTarget, opening: BooksOpening): Promise<void> {
  const query: Query = (sql, parameters) => database.query(writer, sql, parameters);
  for (;;) {
    const accounts = await readUnrecordedAccounts(query, rowsPerRecord);
    if (accounts.length === 0) return;
    const keys = accounts.map(({ submitter, producerId, tenantId }) => ({
      submitter,
      producer_id: producerId,
      tenant_id: tenantId,
    }));
    await appendRanges([
      {
        items: adoptedAccountsRecords(opening.chain, accounts.map(entryOfAccount), opening.now),
        closeBooks: async (session) => {
          const marked = await session.query(adoptAccountsSql, [JSON.stringify(keys)]);
          if (marked.length !== keys.length) throw openedElsewhere();
        },
      },
    ]);
  }
}

function openedElsewhere(): ServerError {
  return new ServerError('STORE_UNAVAILABLE', 'another process is opening the books just now');
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
        throw openedElsewhere();
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
