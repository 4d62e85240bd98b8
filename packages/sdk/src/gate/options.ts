import type { ActorType, Json } from '@tallystick/event';
import type { Approval, ApprovalDesk, OperationLedger } from '@tallystick/protocol';
import type { Clock } from '../clock.ts';
import type { AuditEmitter } from '../emitter/emitter.ts';
import type { AuditPrincipal } from '../event/input.ts';
import type { RedactionOptions } from '../redaction/options.ts';
import type { Policy } from './policy.ts';

/** An emitter with any taxonomy and tenant. */
export type AnyEmitter = Pick<AuditEmitter, 'emit' | 'record'>;

/** Configuration of a gate. */
export interface GateOptions {
  /**
   * Emits the gate's records. With the HTTP transport and with the embedded store, a gate can wait until its intent is in the chain,
   * also if the service has a Kafka topic in front of it. With the Kafka transport it can't: see {@link acknowledgement}.
   */
  readonly audit: AnyEmitter;
  /**
   * What must be true of intent and decision before an allowed action runs.
   *
   * - `chained`: they are in the chain.
   * - `accepted`: they are at least in a queue that all in-sync replicas acknowledged, and will be chained. The Kafka transport gives no
   *   more than this. If such an event turns out to be refused, it becomes a dead letter after the effect has run.
   *
   * An action that needs an approval is chained first in any case, because the desk looks its intent up in the chain.
   *
   * @defaultValue 'chained'
   */
  readonly acknowledgement?: 'chained' | 'accepted' | undefined;
  readonly policy: Policy;
  /** Where approvals are requested. Without one, an action that needs an approval is refused. */
  readonly desk?: ApprovalDesk | undefined;
  /** Remembers operations that have an idempotency key. Needed for actions with one. */
  readonly ledger?: OperationLedger | undefined;
  /** The tenant of actions that name none. */
  readonly tenantId?: string | undefined;
  /** Who acts, where the action does not say. */
  readonly actor?: AuditPrincipal | undefined;
  /** How long to wait for the acknowledgement of intent and decision, in milliseconds. @defaultValue 2000 */
  readonly acknowledgeWithinMs?: number | undefined;
  /**
   * How long the desk may take to answer a request or a claim, and the ledger to begin an operation, in milliseconds. The wait for an
   * approver is not part of it. After that the effect does not run (`DESK_UNAVAILABLE`).
   *
   * @defaultValue 10000
   */
  readonly deskTimeoutMs?: number | undefined;
  /** How long the policy may take, in milliseconds. @defaultValue 1000 */
  readonly policyTimeoutMs?: number | undefined;
  /**
   * How long an effect may take, in milliseconds. After that it counts as timed out, and its signal aborts. The intent's record
   * states this deadline.
   *
   * @defaultValue 300000 (5 minutes)
   */
  readonly effectTimeoutMs?: number | undefined;
  /**
   * Arguments that look like secrets are hidden from records and approvers; `false`: only those that the action names.
   *
   * @defaultValue the rules of the SDK's redaction
   */
  readonly redaction?: RedactionOptions | false | undefined;
  /**
   * Makes the salts of hidden arguments of actions with an idempotency key, at least 32 random bytes. With it, a retry in another
   * process makes the same document, and so finds the first approval. Keep it secret: who knows it can guess short hidden values.
   *
   * @defaultValue none: salts are random
   */
  readonly hidingKey?: string | Uint8Array | undefined;
  /** Called with errors of the ledger after an effect, which the caller can't be told. @defaultValue none */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined;
}

/** The numeric defaults of {@link GateOptions}. */
export const gateDefaults = Object.freeze({
  acknowledgeWithinMs: 2_000,
  deskTimeoutMs: 10_000,
  policyTimeoutMs: 1_000,
  effectTimeoutMs: 300_000,
});

/** Something that an agent or a program is about to do. */
export interface GatedAction<A = Json> {
  /** Name of the tool or action, such as `refund`. */
  readonly action: string;
  /** JSON. They are read once; the effect gets a copy. @defaultValue {} */
  readonly arguments?: A | undefined;
  readonly tenantId?: string | undefined;
  readonly actorType?: ActorType | undefined;
  readonly actorId?: string | undefined;
  /** The delegation chain, the nearest first. */
  readonly onBehalfOf?: readonly AuditPrincipal[] | undefined;
  readonly target?: { readonly type: string; readonly id: string } | undefined;
  /** JSON pointers to arguments that neither the record nor the approver is shown. */
  readonly hidden?: readonly string[] | undefined;
  /** Why the agent wants to act, in its own words. It is recorded and shown as unverified. */
  readonly reason?: string | undefined;
  /** The caller's key of the operation. A retry with the same key gets the first outcome, and the effect does not run again. */
  readonly idempotencyKey?: string | undefined;
  /** Keeps the result, so that a retry gets it: JSON of at most 64 KiB. @defaultValue false */
  readonly keepResult?: boolean | undefined;
  /**
   * Whether the effect runs even if the intent could not be acknowledged. The record says so. A denial or a missing approval is
   * never overridden.
   *
   * @defaultValue false
   */
  readonly failOpen?: boolean | undefined;
  readonly correlationId?: string | undefined;
  readonly investigationId?: string | undefined;
  readonly alertId?: string | undefined;
  /** W3C trace id. @defaultValue that of the active OpenTelemetry span */
  readonly traceId?: string | undefined;
  /** W3C id of the span within the trace. @defaultValue that of the active OpenTelemetry span */
  readonly spanId?: string | undefined;
  readonly parentEventId?: string | undefined;
  /** Further context for the records, such as `ai_agent` or `gen_ai.tool.call.id`. */
  readonly context?: Readonly<Record<string, unknown>> | undefined;
  /** Ends the wait for an approval: the request is withdrawn. It is passed on to the effect. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the action begins to wait for an approval. It must not throw. */
  readonly onPending?: ((approval: Approval) => void) | undefined;
}

/** How an effect ended, where its return value or its error does not say it. */
export interface StatedEnd {
  /** @defaultValue `success` if the effect returned, `failure` if it threw */
  readonly status?: 'success' | 'failure' | undefined;
  readonly errorCode?: string | undefined;
  /** `sha256:` and 64 hexadecimal digits. @defaultValue the digest of the returned value */
  readonly resultDigest?: string | undefined;
  /** Further members of the record's `outcome`, such as `result_bytes`. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * What is known of intent and decision when the effect may run: `chained` and `accepted` as in {@link GateOptions.acknowledgement}; `none` for
 * an action that fails open. Whether they will ever be in the trail is unknown then.
 */
export type Acknowledgement = 'chained' | 'accepted' | 'none';

/** What an effect is called with besides its arguments. */
export interface Execution {
  /** `audit_id` of the intent. Events of the effect should name it as their parent. */
  readonly intentId: string;
  readonly acknowledged: Acknowledgement;
  /** Aborts when the effect has taken too long, or when the caller's signal aborts. */
  readonly signal: AbortSignal;
  /** States what the effect cost, in US dollars, for its record. */
  cost(usd: number): void;
  /** States how the effect ended, for its record: a tool may return its failure, or pass its result on without holding it. */
  ended(end: StatedEnd): void;
}

/** Does what the action is about. It is called at most once. */
export type Effect<A, R> = (args: A, execution: Execution) => R | Promise<R>;
