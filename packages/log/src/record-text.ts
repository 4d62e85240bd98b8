import { isTrust, type Trust } from './record.ts';

/** The parts of a record's text, as they are written there. */
export interface RecordText {
  /** Begins with `{` and ends with `}`. Nothing else of it was checked. */
  readonly event: string;
  /** A JSON object. */
  readonly ingest: string;
  readonly trust: Trust;
  readonly ingestedAt: string;
  readonly previousHash: string;
  readonly sequenceNumber: string;
  readonly tenantId: string;
}

const beginning = '{"event":{';
const beforeIngest = ',"ingest":{"nonce":"';
const text = String.raw`[^"\\\u0000-\u001f]*`;
/** What follows the event in the text that `sealRecord` makes. */
const ending = new RegExp(
  String.raw`^,"ingest":(\{"nonce":"[0-9a-f]{32}"(?:,"principal":"${text}")?(?:,"producer_id":"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")?` +
    String.raw`(?:,"producer_seq":[1-9][0-9]{0,14})?,"source":"${text}","trust":"([a-z-]+)"\})` +
    String.raw`,"ingested_at":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","previous_hash":"([0-9a-f]{64})","record_version":"1"` +
    String.raw`,"sequence_number":(0|[1-9][0-9]{0,14}),"tenant_id":"([A-Za-z0-9][A-Za-z0-9._:@-]{0,127})"\}$`,
);

/**
 * Divides a record's text without parsing it, for a reader that copies the parts. The text may be forged: all parts but the event are
 * checked here, and the caller MUST parse the event before it copies it.
 *
 * @returns undefined where the text is not in the form that the log writes, or has escapes outside the event; `readRecord` may still read it
 */
export function divideRecord(record: string): RecordText | undefined {
  if (!record.startsWith(beginning)) return undefined;
  // A string in JSON has no quote without a backslash before it, so this is no part of a text.
  const end = record.lastIndexOf(beforeIngest);
  const parts = end < 0 || record[end - 1] !== '}' ? null : ending.exec(record.slice(end));
  if (parts === null) return undefined;
  const [, ingest, trust, ingestedAt, previousHash, sequenceNumber, tenantId] = parts as unknown as string[];
  if (!isTrust(trust!)) return undefined;
  return {
    event: record.slice(beginning.length - 1, end),
    ingest: ingest!,
    trust,
    ingestedAt: ingestedAt!,
    previousHash: previousHash!,
    sequenceNumber: sequenceNumber!,
    tenantId: tenantId!,
  };
}
