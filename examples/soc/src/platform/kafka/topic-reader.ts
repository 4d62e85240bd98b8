import { setTimeout as pause } from 'node:timers/promises';
import { Consumer, type MessagesStream } from '@platformatic/kafka';
import type { Received } from './received.ts';

export interface TopicReaderOptions {
  readonly brokers: readonly string[];
  readonly topic: string;
  /** Members of one group share the partitions. */
  readonly groupId: string;
  readonly clientId: string;
  /** A member that is silent for so long loses its partitions to the others. */
  readonly sessionTimeoutMs: number;
  /** Handles one message. If it rejects, the message is delivered again. */
  readonly handle: (message: Received, signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * Reads one topic as a member of a group. Messages are handled one after the other, and each is committed after it was handled: what a
 * crash interrupts is delivered again. A reader that fails connects again with a backoff.
 */
export class TopicReader {
  readonly #options: TopicReaderOptions;
  readonly #stopping = new AbortController();
  #consumer: Consumer | undefined;
  #running: Promise<void>;

  constructor(options: TopicReaderOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Finishes the message that is being handled, unless it waits for another attempt. */
  async close(): Promise<void> {
    this.#stopping.abort(new Error('the reader is closed'));
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#read(() => {
          failures = 0;
        });
      } catch (error) {
        if (!signal.aborted) this.#options.onError(error);
      }
      await this.#disconnect();
      const waiting = pause(Math.min(5_000, 100 * 2 ** Math.min(failures, 10)), undefined, { signal });
      await waiting.catch(() => undefined);
    }
  }

  async #read(onMessage: () => void): Promise<void> {
    const { topic, handle } = this.#options;
    const { signal } = this.#stopping;
    this.#consumer = this.#connect();
    const stream = await this.#consumer.consume({
      topics: [topic],
      autocommit: false,
      mode: 'committed',
      fallbackMode: 'earliest',
      maxWaitTime: 200,
    });
    const end = () => stream.destroy();
    signal.addEventListener('abort', end, { once: true });
    // Joining a group takes seconds when a member was killed. Who closes the reader meanwhile must not wait for a message.
    if (signal.aborted) end();
    try {
      for await (const message of stream as MessagesStream<Buffer, Buffer, Buffer, Buffer>) {
        if (signal.aborted) return;
        await handle(message, signal);
        // A crash here delivers the message again.
        await message.commit();
        onMessage();
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  async #disconnect(): Promise<void> {
    await this.#consumer?.close(true).catch(() => undefined);
    this.#consumer = undefined;
  }

  #connect(): Consumer {
    const { brokers, groupId, clientId, sessionTimeoutMs } = this.#options;
    return new Consumer({
      clientId,
      groupId,
      bootstrapBrokers: [...brokers],
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      heartbeatInterval: Math.max(100, Math.floor(sessionTimeoutMs / 3)),
      autocreateTopics: false,
      connectTimeout: 5_000,
      requestTimeout: 10_000,
      retries: 3,
      retryDelay: 250,
    });
  }
}
