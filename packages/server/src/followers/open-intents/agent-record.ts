import { parseTimestamp, uuidPattern } from '@tallystick/event';
import type { FollowedRecord } from '../follower.ts';

/** What a record says about an action of an agent; undefined for all other records. */
export type AgentRecord =
  | {
      readonly kind: 'intent';
      readonly intentId: string;
      readonly durationMs: number;
      readonly deadline: number;
    }
  /** The policy asks for an approval, by a desk that the service may not see. */
  | { readonly kind: 'asked'; readonly intentId: string }
  /** How an action ended: its effect, its abandonment, or a denial. `isEffect` if it says that something was done. */
  | { readonly kind: 'end'; readonly intentId: string | undefined; readonly isEffect: boolean }
  /** The service's desk: an approval of the action begins or ends. */
  | { readonly kind: 'approval'; readonly intentId: string; readonly pending: boolean }
  /** The service's own record about the action. */
  | { readonly kind: 'finding'; readonly intentId: string; readonly state: 'unresolved' | 'unexplained' };

/** A later deadline than this counts as this one: an agent must not be able to put off the question for years. */
const maxDurationMs = 30 * 24 * 3_600_000;

const pendingApproval = new Set([
  'approval.requested',
  'approval.reminded',
  'approval.escalated',
  'approval.granted',
  'approval.break_glass',
]);
const endedApproval = new Set([
  'approval.claimed',
  'approval.denied',
  'approval.timed_out',
  'approval.withdrawn',
  'approval.expired',
]);

/**
 * Clients write all of these events but the findings and the approvals of the desk, so every member may be anything.
 *
 * @param timeoutMs how long an intent that names no deadline has
 */
export function readAgentRecord(
  { record }: Pick<FollowedRecord, 'record'>,
  timeoutMs: number,
): AgentRecord | undefined {
  const { event, ingest } = record;
  const type = String(event.event_type);
  const parent = idOf(event.parent_id);
  const isOwn = ingest.trust === 'service';
  switch (type) {
    case 'agent.action.intended':
      return { kind: 'intent', intentId: String(event.audit_id), ...deadlineOf(event, timeoutMs) };
    case 'agent.action.completed':
      return { kind: 'end', intentId: parent, isEffect: true };
    case 'agent.action.abandoned':
      return { kind: 'end', intentId: parent, isEffect: false };
    case 'agent.action.decided': {
      const effect = member(event.decision, 'effect');
      if (effect === 'deny') return { kind: 'end', intentId: parent, isEffect: false };
      return effect === 'ask' && parent !== undefined ? { kind: 'asked', intentId: parent } : undefined;
    }
    case 'agent.action.unresolved':
    case 'agent.action.unexplained': {
      const state = type === 'agent.action.unresolved' ? 'unresolved' : 'unexplained';
      const about = idOf(event.target_id);
      return isOwn && about !== undefined ? { kind: 'finding', intentId: about, state } : undefined;
    }
  }
  if (!isOwn || parent === undefined) return undefined;
  if (pendingApproval.has(type)) return { kind: 'approval', intentId: parent, pending: true };
  if (endedApproval.has(type)) return { kind: 'approval', intentId: parent, pending: false };
  return undefined;
}

/** The name of the action, if the event has one. */
export function actionOf(event: { readonly [field: string]: unknown }): string | undefined {
  const action = member(event.context, 'action');
  return typeof action === 'string' ? storable(action) : undefined;
}

/** A text of an event as a column can hold it. A client controls it. */
export function storable(text: string): string {
  return text.slice(0, 512).toWellFormed().replaceAll('\0', '');
}

/** Both times are of the client's clock, so their difference is right even where that clock is wrong. */
function deadlineOf(
  event: { readonly [field: string]: unknown },
  timeoutMs: number,
): {
  durationMs: number;
  deadline: number;
} {
  const emitted = parseTimestamp(String(event.timestamp));
  const declared = member(event.context, 'deadline');
  const deadline = typeof declared === 'string' ? parseTimestamp(declared) : Number.NaN;
  const durationMs = Number.isNaN(deadline - emitted)
    ? timeoutMs
    : Math.min(Math.max(deadline - emitted, 0), maxDurationMs);
  return { durationMs, deadline: emitted + durationMs };
}

function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && uuidPattern.test(value) ? value : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
