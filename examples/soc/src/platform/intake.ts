import { z } from 'zod';
import type { Lineage } from './lineage.ts';
import type { Recorder, SocEvent, SocEventType } from './recorder.ts';
import { platformTenant, type TenantDirectory } from './tenants.ts';
import { RejectedMessage } from './topics.ts';

/** Where a message comes in, and how its refusal is recorded. */
export interface Intake<K extends SocEventType> {
  readonly tenants: TenantDirectory;
  readonly recorder: Recorder;
  /** The type of the events that record a refusal. */
  readonly eventType: K;
  readonly lineage: Lineage;
  /** What is read, for texts: `sentinel alert`. */
  readonly what: string;
  /** The code of a message that does not have the expected form. */
  readonly malformedCode: string;
}

/**
 * Reads a message of a tenant that the platform serves. A refusal is recorded and thrown again: the topic keeps the message as a dead
 * letter. If the tenant is unknown, the platform's own trail has the record, because nobody may write into the trail of another.
 *
 * @throws {RejectedMessage} `TENANT_UNKNOWN`, `malformedCode` for a `ZodError`, or what `read` throws
 */
export function readMessage<T, K extends SocEventType>(intake: Intake<K>, read: () => T): T {
  const { tenants, recorder, eventType, lineage } = intake;
  const isServed = tenants.find(lineage.tenantId) !== undefined;
  try {
    if (!isServed)
      throw new RejectedMessage('TENANT_UNKNOWN', `the tenant of the ${intake.what} is not served`);
    return read();
  } catch (error) {
    const refusal = error instanceof z.ZodError ? malformed(intake, error) : error;
    if (refusal instanceof RejectedMessage) {
      const owner = isServed ? lineage : { ...lineage, tenantId: platformTenant };
      refusal.recordedAs = recorder.emit(eventType, owner, refusalEvent(refusal) as unknown as SocEvent<K>);
    }
    throw refusal;
  }
}

function malformed({ what, malformedCode }: { what: string; malformedCode: string }, error: z.ZodError) {
  // Names of members only: a dead letter must not repeat text that the sender chose.
  const path = error.issues[0]!.path.map(String).filter((part) => /^[\w@.-]{1,40}$/.test(part));
  return new RejectedMessage(malformedCode, `the ${what} has no valid /${path.join('/')}`);
}

/** The content of an event that records a message which became a dead letter. */
export function refusalEvent({ code, message }: Pick<RejectedMessage, 'code' | 'message'>) {
  return {
    severity: 'warning',
    decision: {
      decision_type: 'intake',
      classification: 'invalid',
      confidence: 1,
      reasoning_summary: message,
    },
    outcome: {
      outcome_status: 'failure',
      action_taken: 'dead_letter',
      error_code: code,
      error_message: message,
    },
  };
}
