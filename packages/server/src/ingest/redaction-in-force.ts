import { redactionRecord } from '../chain/service-records/redaction-record.ts';
import type { Writer } from '../chain/writer.ts';
import { writer as asWriter, type Database } from '../store/database.ts';
import { readSql } from '../store/sql.ts';
import { digestOf, type RedactionSetting, readRules, writeRules } from './admit/redaction-rules.ts';

const lastRedaction = readSql('last-redaction');

/** The rules that the chain of the service's tenant names last. */
export interface RecordedRedaction {
  readonly setting: RedactionSetting;
  readonly digest: string;
  readonly recordId: string;
}

/** Reads which rules are in force. The chain is the only place that says it, so nobody can change them without a trace. */
export async function recordedRedaction(
  database: Database,
  serviceTenant: string,
): Promise<RecordedRedaction> {
  const [row] = await database.query<{ record: string }>(asWriter, lastRedaction, [serviceTenant]);
  if (row === undefined) return { setting: 'off', digest: 'none', recordId: '' };
  const { audit_id, metadata } = (
    JSON.parse(row.record) as { event: { audit_id: string; metadata: Metadata } }
  ).event;
  const setting = metadata.rules === undefined ? 'off' : readRules(metadata.rules);
  return { setting, digest: metadata.digest, recordId: audit_id };
}

interface Metadata {
  readonly digest: string;
  readonly rules?: unknown;
}

/** Chains a change of the rules. Durable when it resolves; without a change, nothing is written. */
export async function recordRedaction(
  writer: Writer,
  setting: RedactionSetting,
  recorded: RecordedRedaction,
  { serviceTenant, now }: { readonly serviceTenant: string; readonly now: number },
): Promise<void> {
  const digest = digestOf(setting);
  if (digest === recorded.digest) return;
  const rules = setting === 'off' ? undefined : writeRules(setting);
  const change = { previous: recorded.digest, digest, rules, after: recorded.recordId };
  await writer.submit([redactionRecord(change, serviceTenant, now)]);
}
