import type { FindingSink } from '../../report.ts';
import type { Query } from '../read-store.ts';
import { checkAccounts, checkChainlessAccounts } from './check-accounts.ts';
import { type KeyState, type LetterState, readKeys, readLetters } from './read-books.ts';
import { ReplayedBooks, type ReplayedKey, type ReplayedLetter } from './replay.ts';

/** Whose books are compared with the records. */
export interface BooksOptions {
  readonly tenantId: string;
  /**
   * Tenant of the service's own records. Its verification also reports the rows that no chain has the records of.
   * @defaultValue 'tallystick'
   */
  readonly serviceTenant?: string | undefined;
}

/** What was not compared. */
export interface ComparedBooks {
  /** Accounts of an earlier version that the service has not put on record yet. */
  readonly accountsNotOnRecord: number;
}

/**
 * Compares dead letters, API keys and accounts of producers with the service's records of them in one tenant's chain. Each row that
 * was edited, deleted or inserted with other means than the service's is a finding. The records themselves are checked with the chain.
 */
export async function checkBooks(
  query: Query,
  { tenantId, serviceTenant = 'tallystick' }: BooksOptions,
  findings: FindingSink,
): Promise<ComparedBooks> {
  const books = await ReplayedBooks.read(query, tenantId);
  await checkLetters(query, tenantId, books, findings);
  await checkKeys(query, tenantId, books, findings);
  let unrecorded = await checkAccounts(query, { tenantId, serviceTenant }, findings);
  if (tenantId !== serviceTenant) return { accountsNotOnRecord: unrecorded };
  for await (const { id } of readLetters(query, 'unclaimed')) {
    findings.add({
      code: 'DEAD_LETTER_MISMATCH',
      sequence_number: null,
      found: `${id}: a row that no chain records`,
    });
  }
  unrecorded += await checkChainlessAccounts(query, serviceTenant, findings);
  for await (const { id } of readKeys(query, 'unclaimed')) {
    findings.add({
      code: 'API_KEY_MISMATCH',
      sequence_number: null,
      found: `${id}: a row that no chain records`,
    });
  }
  return { accountsNotOnRecord: unrecorded };
}

async function checkLetters(
  query: Query,
  tenantId: string,
  { letters }: ReplayedBooks,
  findings: FindingSink,
): Promise<void> {
  const missing = new Map(letters);
  for await (const row of readLetters(query, { chain: tenantId })) {
    missing.delete(row.id);
    const replayed = letters.get(row.id);
    const difference = replayed === undefined ? 'a row without a record' : letterDifference(row, replayed);
    if (difference === undefined) continue;
    const found = `${row.id}: ${difference}`;
    findings.add({ code: 'DEAD_LETTER_MISMATCH', sequence_number: replayed?.sequence ?? null, found });
  }
  for (const [id, { sequence }] of missing) {
    if (await isRecordedElsewhere(query, id)) continue;
    findings.add({ code: 'DEAD_LETTER_MISMATCH', sequence_number: sequence, found: `${id}: no row` });
  }
}

function letterDifference(row: LetterState, replayed: ReplayedLetter): string | undefined {
  if (row.state !== replayed.state) return `the state ${row.state} instead of ${replayed.state}`;
  if (row.raw !== replayed.raw) return 'other bytes';
  if (!replayed.about.has(row.about)) return 'other columns than the bytes';
  if (row.settledBy !== replayed.settledBy) return 'another principal who settled it';
  return undefined;
}

/** Whether the row names another chain that has its record, because the event was refused again while this one was stopped. */
async function isRecordedElsewhere(query: Query, id: string): Promise<boolean> {
  const [row] = await query(
    `select exists (select from audit_records r
                      join audit_chain_ranges g
                        on g.tenant_id = r.tenant_id and g.epoch = r.epoch
                       and r.sequence_number between 0 and g.last_sequence
                     where r.tenant_id = d.chain
                       and r.event_type in ('delivery.dead_lettered', 'delivery.conflict', 'audit.books_opened')
                       and position(d.id::text in r.record) > 0) as recorded
       from audit_dead_letters d where d.id = $1::uuid`,
    [id],
  );
  return row?.recorded === true;
}

async function checkKeys(
  query: Query,
  tenantId: string,
  { keys }: ReplayedBooks,
  findings: FindingSink,
): Promise<void> {
  const missing = new Map(keys);
  for await (const row of readKeys(query, { chain: tenantId })) {
    missing.delete(row.id);
    const replayed = keys.get(row.id);
    const difference = replayed === undefined ? 'a row without a record' : keyDifference(row, replayed);
    if (difference === undefined) continue;
    const found = `${row.id}: ${difference}`;
    findings.add({ code: 'API_KEY_MISMATCH', sequence_number: replayed?.sequence ?? null, found });
  }
  for (const [id, { sequence }] of missing) {
    findings.add({ code: 'API_KEY_MISMATCH', sequence_number: sequence, found: `${id}: no row` });
  }
}

function keyDifference(row: KeyState, replayed: ReplayedKey): string | undefined {
  if (row.about !== replayed.about) return 'another name, secret, scope, tenant or time';
  if (row.revokedAt === replayed.revokedAt) return undefined;
  return replayed.revokedAt === null ? 'revoked without a record' : 'not revoked at the recorded time';
}
