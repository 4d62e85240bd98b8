import { kafkaHeaders } from '@tallystick/protocol';
import type { BatchItem, ProducerStatement } from '../../../chain/batch.ts';
import type { MessagePlace } from '../../../chain/source-position.ts';
import { KafkaError } from '../../../kafka-client/kafka-error.ts';
import { type Message, recordsOf } from '../../../kafka-client/records/record.ts';
import { batchesOf, type RecordBatch } from '../../../kafka-client/records/record-batch.ts';
import { UnpackError, unreadable } from '../../../kafka-client/records/unpack-error.ts';
import type { Admission } from '../../admit/admission.ts';
import { type PreparedMessage, prepareMessage } from '../message/prepare-message.ts';
import { toBatch } from './prepared-range.ts';

/** What to chain of some messages of a batch. */
interface BatchPart {
  readonly items: readonly BatchItem[];
  readonly statements: readonly ProducerStatement[];
}

/**
 * Most bytes that a batch may unpack to when an operator retries it: four times the limit of the ingest, which unpacks what any
 * producer wrote.
 */
const maxUnpackedBytes = 128 * 1024 * 1024;
const partMessages = 500;
const partBytes = 4 * 1024 * 1024;
/** Only the gateway writes this header, and what it says is trusted only in its own topic. */
const principalHeader = Buffer.from(kafkaHeaders.principal);

/**
 * Reads the record batch that a dead letter has kept, in parts that one transaction can store.
 *
 * @param place the first offset that could not be read
 * @throws {UnpackError} where the batch can't be read; the parts before it are good
 */
export function* readKeptBatch(raw: Buffer, place: MessagePlace, admission: Admission): Generator<BatchPart> {
  const topic = { clusterId: place.clusterId, name: place.topic, id: '', partitions: 0 };
  const context = { topic, partition: place.partition, admission, fromGateway: false };
  let messages: PreparedMessage[] = [];
  let bytes = 0;
  const take = (): BatchPart => {
    const [from, next] = [messages[0]!.offset, messages.at(-1)!.offset + 1];
    const { items, statements } = toBatch(
      { from, next, messages, leaderEpoch: undefined, lost: false },
      topic,
      place.partition,
    );
    messages = [];
    bytes = 0;
    return { items, statements };
  };
  for (const message of messagesOf(raw, place.offset)) {
    messages.push(prepareMessage(message, context));
    bytes += message.size;
    if (messages.length >= partMessages || bytes >= partBytes) yield take();
  }
  if (messages.length > 0) yield take();
}

function* messagesOf(raw: Buffer, from: number): Generator<Message & { readonly size: number }> {
  try {
    for (const message of recordsOf(soleBatch(raw), from, partBytes, maxUnpackedBytes)) {
      for (const [name] of message.headers) {
        if (name?.equals(principalHeader) === true)
          throw unreadable('the gateway wrote it for its own clients');
      }
      yield message;
    }
  } catch (error) {
    if (error instanceof KafkaError) throw unreadable(error.message, error);
    throw error;
  }
}

function soleBatch(raw: Buffer): RecordBatch {
  for (const batch of batchesOf(raw)) return batch;
  throw unreadable('the dead letter keeps only its beginning');
}

export { UnpackError };
