import type { Alert, RawAlert } from './alert.ts';
import type { Detection, Telemetry } from './detection.ts';
import type { Exposure, FindingSource, RawFinding } from './exposure.ts';
import type { Investigation, ResponsePlan, ResponseReport } from './investigation.ts';
import type { FalsePositivePattern, PlaybookDraft } from './knowledge.ts';
import type { Lineage } from './lineage.ts';

/** The topics of the platform and the values of their messages. */
export type Topics = {
  'alerts.raw': RawAlert;
  'alerts.normalized': Alert;
  investigations: Investigation;
  'actions.pending': ResponsePlan;
  'actions.settled': ResponseReport;
  'telemetry.raw': Telemetry;
  'atlas.detections': Detection;
  'ctem.normalized': Exposure;
  'playbooks.draft': PlaybookDraft;
  /** Each state of a pattern, for services that keep patterns of their own. */
  patterns: FalsePositivePattern;
} & { [S in FindingSource as `ctem.raw.${S}`]: RawFinding };

export type Topic = keyof Topics;

export interface Message<T> {
  /** Messages with the same key are handled one after the other, in order. */
  readonly key: string;
  readonly lineage: Lineage;
  readonly value: T;
}

/** A message that a consumer could not handle, with the reason. */
export interface DeadLetter {
  readonly topic: string;
  readonly consumer: string;
  readonly key: string;
  readonly lineage: Lineage;
  /** Absent if it could not be read, or is too large to be repeated. */
  readonly value?: unknown;
  readonly code: string;
  readonly reason: string;
  /** `audit_id` of the event that records it; absent if the platform records nothing. */
  readonly audit_id?: string | undefined;
}

/** Thrown by a handler for a message that no repetition makes valid. The message becomes a dead letter at once. */
export class RejectedMessage extends Error {
  override readonly name = 'RejectedMessage';
  readonly code: string;
  /** `audit_id` of the event that records the refusal, if the handler recorded it. */
  recordedAs: string | undefined;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Thrown by a handler if something that it needs is away, such as another service. It says nothing about the message, so the message is
 * tried again until that something is back.
 */
export class Unavailable extends Error {
  override readonly name: string = 'Unavailable';
}

/** Handles one message. It may be called again with the same message after a crash, so its effect must not depend on that. */
export type Handler<T> = (message: Message<T>) => Promise<void>;

/**
 * Carries messages between services. A message that `publish` acknowledged is delivered to every consumer at least once. Messages with
 * one key arrive in the order in which they were published.
 */
export interface TopicBus {
  /** @throws {RejectedMessage} `MESSAGE_TOO_LARGE` @throws {Unavailable} if the message can't be stored now */
  publish<K extends Topic>(topic: K, message: Message<Topics[K]>): Promise<void>;
  /**
   * @param consumer the name of the consumer. Its replicas share the messages.
   * @returns ends the subscription after the message that is being handled
   */
  subscribe<K extends Topic>(
    topic: K,
    consumer: string,
    handler: Handler<Topics[K]>,
  ): Promise<() => Promise<void>>;
}

/** Topics of one process, which knows when nothing moves any more. */
export interface LocalTopics extends TopicBus {
  /** Records the dead letters that no service recorded. */
  recordDeadLetter: (letter: DeadLetter) => string | undefined;
  /** Whether every message is handled. */
  readonly isSettled: boolean;
  /** Resolves when every message is handled, including those that handlers published. */
  settled(): Promise<void>;
}
