import { setTimeout as wait } from 'node:timers/promises';
import { ServerError } from '../../errors.ts';
import { toBrokerError } from '../../kafka-client/broker-error.ts';
import type { KafkaConnection } from '../../kafka-client/connection.ts';
import { type BackoffBounds, backoffMs } from '../../timing/backoff.ts';
import { withTimeout } from '../../timing/timeout.ts';
import { type GatewayMessage, maxWriteBytes, sizeOf } from './messages.ts';
import { GatewayProducer } from './producer.ts';

export interface WriteQueueOptions {
  readonly connection: KafkaConnection;
  readonly topic: string;
  /** How long the broker may take to acknowledge a write, all attempts included, ms. */
  readonly acknowledgeMs: number;
  readonly onWritten: () => void;
  readonly onFailed: (error: ServerError) => void;
}

/** The messages of one submission, waiting for the broker. */
interface PendingWrite {
  readonly messages: readonly GatewayMessage[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: ServerError) => void;
}

const retryBounds: BackoffBounds = { baseMs: 50, maxMs: 2_000 };
const tooLargeReasons: ReadonlySet<unknown> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

/**
 * Writes messages to the gateway's topic, in order. There is one write at a time, so that the messages of a tenant keep the
 * order of the answers. While a write is in flight, the messages of further submissions gather for the next one.
 *
 * The queue is in memory: a crash loses it, and no client was told that its events are safe. A write that the broker does
 * not acknowledge counts as failed although the broker may have it: the client sends the events again, and the chain drops
 * duplicates.
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  /** Owned by {@link #run}; `write` appends. */
  #queue: PendingWrite[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  /** Undefined before the first write and after a failure. */
  #producer: GatewayProducer | undefined;
  #closed = false;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Whether a write is in flight. */
  get busy(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Resolves once all in-sync replicas have the messages.
   *
   * @throws {ServerError} `BROKER_UNAVAILABLE`, `BROKER_REFUSED`, `CLOSING`
   */
  write(messages: readonly GatewayMessage[]): Promise<void> {
    if (this.#closed) return Promise.reject(closingError());
    const bytes = messages.reduce((sum, message) => sum + sizeOf(message), 0);
    return new Promise((resolve, reject) => {
      this.#queue.push({ messages, bytes, resolve, reject });
      this.#queuedBytes += bytes;
      this.#running ??= this.#run();
    });
  }

  /** Accepts nothing more, and resolves when all accepted messages are written or have failed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    this.#discardProducer();
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#take();
      try {
        const deadline = performance.now() + this.#options.acknowledgeMs;
        for (const part of splitBySize(group.flatMap(({ messages }) => messages))) {
          await this.#send(part, deadline);
        }
        for (const { resolve } of group) resolve();
      } catch (error) {
        const failure = toBrokerError(error);
        this.#options.onFailed(failure);
        const { code, details } = failure;
        const message = `the events could not be written to Kafka (${reasonOf(failure)})`;
        const shown = new ServerError(code, message, { cause: failure, details });
        // The writes that wait would take as long to get the same answer.
        for (const { reject } of [...group, ...this.#queue.splice(0)]) reject(shown);
      }
      this.#queuedBytes = this.#queue.reduce((sum, { bytes }) => sum + bytes, 0);
    }
    // In the same turn as the last check of the queue, so that no write can be added in between and be forgotten.
    this.#running = undefined;
  }

  #take(): PendingWrite[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length) {
      bytes += this.#queue[count]!.bytes;
      if (count > 0 && bytes > maxWriteBytes) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /** Retries until the broker acknowledges or the deadline is over: a leader may move, and a broker may come back. */
  async #send(messages: readonly GatewayMessage[], deadline: number): Promise<void> {
    const { topic, onWritten } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#attempt(messages, deadline);
        onWritten();
        return;
      } catch (error) {
        this.#discardProducer();
        const failure = toBrokerError(error, `the gateway can't write to ${topic}`);
        if (tooLargeReasons.has(failure.details.reason) && messages.length > 1) {
          const half = messages.length >> 1;
          await this.#send(messages.slice(0, half), deadline);
          return await this.#send(messages.slice(half), deadline);
        }
        const pauseMs = backoffMs(attempt, retryBounds);
        if (failure.code === 'BROKER_REFUSED' || performance.now() + pauseMs >= deadline) throw failure;
        await wait(pauseMs);
      }
    }
  }

  async #attempt(messages: readonly GatewayMessage[], deadline: number): Promise<void> {
    const { connection, topic, acknowledgeMs } = this.#options;
    this.#producer ??= new GatewayProducer(connection, topic, acknowledgeMs);
    const leftMs = Math.max(0, deadline - performance.now());
    await withTimeout(this.#producer.write(messages), leftMs, () => {
      const message = `the broker did not acknowledge within ${acknowledgeMs / 1000} s`;
      return new ServerError('BROKER_UNAVAILABLE', message);
    });
  }

  #discardProducer(): void {
    this.#producer?.discard();
    this.#producer = undefined;
  }
}

export function closingError(): ServerError {
  return new ServerError('CLOSING', 'the service is shutting down');
}

/** Kafka's name of the error, for clients: the library's messages may contain addresses of brokers. */
export function reasonOf({ code, details }: ServerError): string {
  return String(details.reason ?? code);
}

/** Keeps the order. Each part is small enough for one write, unless one message is larger. */
function* splitBySize(messages: readonly GatewayMessage[]): Generator<GatewayMessage[]> {
  let part: GatewayMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (part.length > 0 && bytes + size > maxWriteBytes) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(message);
    bytes += size;
  }
  if (part.length > 0) yield part;
}
