import { Consumer, type Message } from '@platformatic/kafka';
import { indexedColumns, toHex } from '@tallystick/log';
import { copyStatement, renderRow } from '../packages/server/src/store/copy-rows.ts';
import { type Database, writer } from '../packages/server/src/store/database.ts';
import { partitionOf } from '../packages/server/src/store/partitions.ts';
import { copyRows } from './store.ts';

const batchSize = 1_000;
const hash = new Uint8Array(32).fill(7);
const hashHex = toHex(hash);

/**
 * The baseline for the ingest: a consumer that reads the same topic with the client library's stream, and copies rows with the
 * same columns in transactions of a thousand. It does not validate, chain or hash. While a batch commits, it reads and renders
 * the next one, as the service does.
 */
export async function consumePlainly(
  bootstrapBrokers: string[],
  topic: string,
  database: Database,
  total: number,
  onCommit: (rows: number) => void,
): Promise<void> {
  const consumer = new Consumer({ clientId: 'plain', groupId: `plain-${topic}`, bootstrapBrokers });
  const stream = await consumer.consume({
    topics: [topic],
    mode: 'earliest',
    autocommit: false,
    maxWaitTime: 50,
    maxBytes: 8 * 1024 * 1024,
  });
  const sequences = new Map<string, number>();
  let committing: Promise<void> = Promise.resolve();
  let rows = 0;
  let seen = 0;
  let text = '';
  for await (const message of stream as AsyncIterable<Message>) {
    text += row(message, sequences);
    rows++;
    seen++;
    if (rows < batchSize && seen < total) continue;
    await committing;
    committing = copy(database, text, rows, onCommit);
    text = '';
    rows = 0;
    if (seen === total) break;
  }
  await committing;
  await stream.close().catch(() => undefined);
  await consumer.close(true);
}

async function copy(
  database: Database,
  text: string,
  rows: number,
  onCommit: (rows: number) => void,
): Promise<void> {
  await database.transaction(writer, (session) =>
    copyRows(session, copyStatement(partitionOf(Date.now())), [text]),
  );
  onCommit(rows);
}

function row(message: Message, sequences: Map<string, number>): string {
  const value = message.value.toString();
  const event = JSON.parse(value) as { tenant_id: string };
  const tenantId = event.tenant_id;
  const sequenceNumber = (sequences.get(tenantId) ?? -1) + 1;
  sequences.set(tenantId, sequenceNumber);
  const ingestedAt = new Date().toISOString();
  const source = `kafka:AAAAAAAAAAAAAAAAAAAAAA/${message.topic}/${message.partition}/${message.offset}`;
  const record =
    `{"event":${value},"ingest":{"nonce":"00000000000000000000000000000000","source":"${source}","trust":"topic-acl"},` +
    `"ingested_at":"${ingestedAt}","previous_hash":"${hashHex}","record_version":"1",` +
    `"sequence_number":${sequenceNumber},"tenant_id":"${tenantId}"}`;
  return renderRow({
    tenantId,
    epoch: 1,
    sequenceNumber,
    ingestedAt,
    columns: indexedColumns(event),
    previousHash: hashHex,
    sealed: { text: record, hash, hashHex } as Parameters<typeof renderRow>[0]['sealed'],
  });
}
