import { setTimeout as wait } from 'node:timers/promises';
import type { AcceptedResult } from '@tallystick/protocol';
import type { AuditService } from '../../app.ts';
import { ServerError } from '../../errors.ts';
import { toBrokerError } from '../../kafka-client/broker-error.ts';
import type { KafkaConnection } from '../kafka/options.ts';
import { defaultTopics } from '../kafka/topics/plan.ts';
import type { Submission, SubmissionResult } from '../submission.ts';
import { GatewayLink } from './link.ts';
import { type GatewayMessage, maxWriteBytes, sizeOf, toMessages } from './messages.ts';

/** Which cluster and topic take the events of the HTTP API. */
export interface KafkaGatewayOptions {
  readonly connection: KafkaConnection;
  /** A topic that nobody but the service may write to. @defaultValue 'audit.gateway' */
  readonly topic?: string | undefined;
  /** How long the broker may take to acknowledge, attempts included, ms. @defaultValue 10000 */
  readonly acknowledgeMs?: number | undefined;
  /** Bytes that wait for the broker before more are turned away. @defaultValue 67108864 */
  readonly maxQueuedBytes?: number | undefined;
  /** How often a broker that was in trouble is asked how it is, ms. @defaultValue 1000 */
  readonly probeMs?: number | undefined;
  /** Told of events, after the acknowledgement; refused ones included. */
  readonly onOutcome?: (status: 'accepted' | 'rejected', count: number) => void;
  /** Told of each write that the broker did not acknowledge. */
  readonly onFailure?: (error: ServerError) => void;
}

interface Waiting {
  readonly messages: readonly GatewayMessage[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: ServerError) => void;
}

/**
 * The way in over HTTP where events go through Kafka: admits them, writes them to the gateway's topic and answers once all
 * in-sync replicas have them. The consumer chains them like any others, but with the submitter's name.
 *
 * What waits for the broker is in memory: a crash loses it, and nobody has been told that any of it was safe. A write of
 * which nothing is heard counts as failed, though the broker may have it: the client sends again, and the chain drops what
 * it has.
 */
export class KafkaGateway {
  readonly #service: AuditService;
  readonly #options: KafkaGatewayOptions;
  readonly #topic: string;
  readonly #acknowledgeMs: number;
  /** Owned by {@link #run}; `accept` appends. One write at a time, so that a tenant's order is that of the answers. */
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #running: Promise<void> | undefined;
  #link: GatewayLink | undefined;
  /** Why the last write or probe failed; undefined where it did not. */
  #trouble: string | undefined;
  #probe: NodeJS.Timeout | undefined;
  readonly #closer = new AbortController();
  readonly #obstacle = () => (this.#trouble === undefined ? [] : [this.#trouble]);

  /** Connects by itself. Until it has, and whenever the broker is away, the service is not ready. */
  constructor(service: AuditService, options: KafkaGatewayOptions) {
    this.#service = service;
    this.#options = options;
    this.#topic = options.topic ?? defaultTopics.gateway;
    this.#acknowledgeMs = options.acknowledgeMs ?? 10_000;
    service.readinessChecks.add(this.#obstacle);
    this.#trouble = `the gateway has not reached ${this.#topic} yet`;
    void this.#look();
  }

  /** Whether more would be more than may wait. */
  get full(): boolean {
    return this.#queuedBytes >= (this.#options.maxQueuedBytes ?? 64 * 1024 * 1024);
  }

  /**
   * Hands events over. Those that admission refuses are written too, with the reason, so that the consumer keeps them as
   * dead letters; one that no message can hold is kept at once, in the store.
   *
   * @returns one result for each event, once the broker has all of them
   * @throws {ServerError} `BROKER_UNAVAILABLE`, `BROKER_REFUSED`, `CLOSING`, and errors as of `AuditService.submit`: any
   *   part of it may be written; the same events may be handed over again
   */
  async accept(submission: Submission): Promise<(AcceptedResult | SubmissionResult)[]> {
    if (this.#closer.signal.aborted) throw closing();
    const { messages, results, oversized } = await toMessages(submission, this.#service.admission);
    const kept = oversized.length === 0 ? [] : await this.#keep(submission, oversized);
    if (messages.length > 0) await this.#write(messages);
    const answers: (AcceptedResult | SubmissionResult)[] = results;
    for (const [at, index] of oversized.entries()) answers[index] = kept[at]!;
    for (const status of ['accepted', 'rejected'] as const) {
      const count = answers.filter((answer) => answer.status === status).length;
      if (count > 0) this.#options.onOutcome?.(status, count);
    }
    return answers;
  }

  /** Takes nothing more, and resolves when everything that was taken is settled. Safe to call twice. */
  async close(): Promise<void> {
    this.#closer.abort();
    clearTimeout(this.#probe);
    await this.#running;
    this.#service.readinessChecks.delete(this.#obstacle);
    this.#cut();
  }

  #keep(submission: Submission, indexes: readonly number[]): Promise<SubmissionResult[]> {
    const { delivery, events } = submission;
    const sequences = delivery?.sequences;
    return this.#service.submit({
      ...submission,
      events: indexes.map((index) => events[index]!),
      delivery: delivery && {
        producer_id: delivery.producer_id,
        service: delivery.service,
        ...(sequences !== undefined && { sequences: indexes.map((index) => sequences[index]!) }),
      },
    });
  }

  #write(messages: readonly GatewayMessage[]): Promise<void> {
    if (this.#closer.signal.aborted) return Promise.reject(closing());
    const bytes = messages.reduce((sum, message) => sum + sizeOf(message), 0);
    return new Promise((resolve, reject) => {
      this.#queue.push({ messages, bytes, resolve, reject });
      this.#queuedBytes += bytes;
      this.#running ??= this.#run();
    });
  }

  /** While one write is under way, the next gathers what comes in. */
  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#take();
      try {
        const deadline = performance.now() + this.#acknowledgeMs;
        for (const part of parts(group.flatMap(({ messages }) => messages))) await this.#send(part, deadline);
        for (const { resolve } of group) resolve();
      } catch (error) {
        const failure = toBrokerError(error);
        this.#options.onFailure?.(failure);
        this.#isInTrouble(failure);
        const { code, details } = failure;
        const told = new ServerError(code, `the events could not be handed over (${reasonOf(failure)})`, {
          cause: failure,
          details,
        });
        // Whoever waits behind would wait as long for the same answer.
        for (const { reject } of [...group, ...this.#queue.splice(0)]) reject(told);
      }
      this.#queuedBytes = this.#queue.reduce((sum, { bytes }) => sum + bytes, 0);
    }
    // In the same turn as the last look at the queue, so that nobody can queue between the two and be forgotten.
    this.#running = undefined;
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    while (count < this.#queue.length) {
      bytes += this.#queue[count]!.bytes;
      if (count > 0 && bytes > maxWriteBytes) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  /** Writes until it is acknowledged or the time is over. Between attempts a leader may have moved or a broker returned. */
  async #send(messages: readonly GatewayMessage[], deadline: number): Promise<void> {
    for (let pauseMs = 50; ; pauseMs *= 2) {
      try {
        await this.#attempt((link) => link.write(messages), deadline - performance.now());
        this.#trouble = undefined;
        return;
      } catch (error) {
        this.#cut();
        const failure = toBrokerError(error, `the gateway can't write to ${this.#topic}`);
        const isTooLarge = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'].includes(
          String(failure.details.reason),
        );
        if (isTooLarge && messages.length > 1) {
          const half = messages.length >> 1;
          await this.#send(messages.slice(0, half), deadline);
          return await this.#send(messages.slice(half), deadline);
        }
        if (failure.code === 'BROKER_REFUSED' || performance.now() + pauseMs >= deadline) throw failure;
        await wait(pauseMs);
      }
    }
  }

  /** Something that the link does, for so long at most. */
  async #attempt(work: (link: GatewayLink) => Promise<void>, ms: number): Promise<void> {
    this.#link ??= new GatewayLink(this.#options.connection, this.#topic, this.#acknowledgeMs);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const seconds = this.#acknowledgeMs / 1000;
      const message = `the broker did not acknowledge within ${seconds} s`;
      timer = setTimeout(() => reject(new ServerError('BROKER_UNAVAILABLE', message)), Math.max(0, ms));
    });
    try {
      await Promise.race([work(this.#link), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #cut(): void {
    this.#link?.cut();
    this.#link = undefined;
  }

  /** Without a probe it would stay so: a service that is not ready gets no events to write. */
  #isInTrouble(failure: ServerError): void {
    this.#trouble = `the gateway can't write to ${this.#topic} (${reasonOf(failure)})`;
    this.#lookLater();
  }

  #lookLater(): void {
    if (this.#closer.signal.aborted) return;
    clearTimeout(this.#probe);
    this.#probe = setTimeout(() => void this.#look(), this.#options.probeMs ?? 1_000);
    this.#probe.unref();
  }

  async #look(): Promise<void> {
    // A write under way tells as much, and must not lose its link to a probe.
    if (this.#running !== undefined) return this.#lookLater();
    const link = new GatewayLink(this.#options.connection, this.#topic, this.#acknowledgeMs);
    try {
      await link.probe();
      this.#trouble = undefined;
    } catch (error) {
      this.#isInTrouble(toBrokerError(error));
    } finally {
      link.cut();
    }
  }
}

/** In their order, each small enough to be written at once. */
function* parts(messages: readonly GatewayMessage[]): Generator<GatewayMessage[]> {
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

/** For whoever asks: a message of the client library's may name addresses. */
function reasonOf({ code, details }: ServerError): string {
  return String(details.reason ?? code);
}

function closing(): ServerError {
  return new ServerError('CLOSING', 'the service is shutting down');
}
