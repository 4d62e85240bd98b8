import { type Connection, crc32c, createAPI, produceV9, Writer } from '@platformatic/kafka';

/** Numbers of the compressions in the attributes of a record batch. */
export const codecs = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

export interface PackedBatch {
  readonly codec: number;
  /** Records, compressed. */
  readonly content: Buffer;
  readonly count: number;
  /** @defaultValue one less than the count */
  readonly lastDelta?: number;
  readonly firstOffset?: number;
  readonly leaderEpoch?: number;
}

/** A record batch with a correct checksum and any content, as a hostile producer can write it. */
export function batchOf({
  codec,
  content,
  count,
  lastDelta = count - 1,
  firstOffset = 0,
  leaderEpoch = 0,
}: PackedBatch): Buffer {
  const batch = Buffer.alloc(61 + content.length);
  batch.writeBigInt64BE(BigInt(firstOffset), 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(leaderEpoch, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(codec, 21);
  batch.writeInt32BE(lastDelta, 23);
  const now = BigInt(Date.now());
  batch.writeBigInt64BE(now, 27);
  batch.writeBigInt64BE(now, 35);
  batch.writeBigInt64BE(-1n, 43);
  batch.writeInt16BE(-1, 51);
  batch.writeInt32BE(-1, 53);
  batch.writeInt32BE(count, 57);
  content.copy(batch, 61);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

/** The bytes of a record before and after its value. */
export function aroundValue(
  length: number,
  { key = null, delta = 0 }: { readonly key?: string | null; readonly delta?: number } = {},
): readonly [before: Buffer, after: Buffer] {
  const keyBytes = key === null ? null : Buffer.from(key);
  const inner = Buffer.concat([
    Buffer.from([0, 0]),
    varInt(delta),
    keyBytes === null ? varInt(-1) : Buffer.concat([varInt(keyBytes.length), keyBytes]),
    varInt(length),
  ]);
  return [Buffer.concat([varInt(inner.length + length + 1), inner]), varInt(0)];
}

export function recordOf(value: string | Buffer, more: { key?: string | null; delta?: number } = {}): Buffer {
  const bytes = Buffer.from(value as string);
  const [before, after] = aroundValue(bytes.length, more);
  return Buffer.concat([before, bytes, after]);
}

export function varInt(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Produces a record batch unchanged. */
export async function produceBatch(connection: Connection, topic: string, batch: Buffer): Promise<number> {
  const { responses } = await produceRaw.async(connection, topic, batch);
  return Number(responses[0]!.partitionResponses[0]!.baseOffset);
}

const produceRaw = createAPI<[topic: string, batch: Buffer], produceV9.ProduceResponse>(
  produceV9.api.key,
  produceV9.api.version,
  (topic: string, batch: Buffer) =>
    Writer.create()
      .appendString(null)
      .appendInt16(-1)
      .appendInt32(60_000)
      .appendArray([topic], (w, name) => {
        w.appendString(name).appendArray([batch], (each, records) => {
          each
            .appendInt32(0)
            .appendUnsignedVarInt(records.length + 1)
            .append(records);
        });
      })
      .appendTaggedFields(),
  produceV9.parseResponse,
);
