import { canonicalize } from '@tallystick/event';
import { sha256, toHex } from '@tallystick/log';
import type { ApprovalRow } from './read-approvals.ts';
import type { RecordedMember, ReplayedApproval } from './replay.ts';

/** A column of a row, or a member of its approval, that is not what the records say. Both are texts for people. */
export interface ApprovalDifference {
  readonly column: string;
  readonly recorded: string;
  readonly stored: string;
  readonly sequence: number;
  readonly epoch: number;
}

/** Columns and members that are shown as they are. Of the others, which may contain arguments or comments, reports have a digest. */
const shown = new Set([
  'id',
  'intent_id',
  'state',
  'created_at',
  'decide_before',
  'remind_at',
  'escalated',
  'claim_before',
  'version',
  'next_deadline',
]);

/** Compares a row with what the records say of it. */
export function differencesOf(row: ApprovalRow, replayed: ReplayedApproval): ApprovalDifference[] {
  const stored = parsed(row.approval);
  if (stored === undefined) {
    return [
      { ...placeOf(undefined, replayed), column: 'approval', recorded: 'an approval', stored: 'not JSON' },
    ];
  }
  const found: ApprovalDifference[] = [];
  const compare = (column: string, member: RecordedMember | undefined, value: unknown) => {
    const expected = withoutUnrecorded(column, member?.value, value);
    if (same(expected, value)) return;
    const texts = { recorded: textOf(column, expected), stored: textOf(column, value) };
    found.push({ ...placeOf(member, replayed), column, ...texts });
  };
  const { members } = replayed;
  for (const name of new Set([...members.keys(), ...Object.keys(stored)])) {
    // The version is a column, and no member of the approval.
    compare(`approval.${name}`, name === 'version' ? undefined : members.get(name), stored[name]);
  }
  const version = members.get('version');
  if (version !== undefined) compare('version', version, row.version);
  // The columns beside the JSON, which lists and the timer of deadlines read.
  compare('state', members.get('state'), row.state);
  compare('created_at', members.get('created_at'), row.created_at);
  compare('next_deadline', deadlineOf(replayed), row.next_deadline ?? undefined);
  return found;
}

/** When the next deadline of the approval passes; the value is `undefined` in a final state. */
function deadlineOf({ members }: ReplayedApproval): RecordedMember | undefined {
  const state = members.get('state');
  if (state?.value === 'granted') return members.get('claim_before');
  if (state?.value !== 'pending') return state === undefined ? undefined : { ...state, value: undefined };
  const remindAt = members.get('remind_at');
  return remindAt?.value === undefined ? members.get('decide_before') : remindAt;
}

/** Records of earlier versions do not name the attempt of a claim. */
function withoutUnrecorded(column: string, recorded: unknown, stored: unknown): unknown {
  if (column !== 'approval.claim' || !isObject(recorded) || recorded.attempt !== undefined) return recorded;
  return { ...recorded, attempt: isObject(stored) ? stored.attempt : undefined };
}

function placeOf(member: RecordedMember | undefined, { sequence, epoch }: ReplayedApproval) {
  return { sequence: member?.sequence ?? sequence, epoch: member?.epoch ?? epoch };
}

function same(one: unknown, other: unknown): boolean {
  return canonicalText(one) === canonicalText(other);
}

function textOf(column: string, value: unknown): string {
  if (value === undefined) return 'absent';
  if (shown.has(column.replace(/^approval\./, '')) && !isObject(value)) return String(value).slice(0, 100);
  return `sha256:${toHex(sha256(new TextEncoder().encode(canonicalText(value))))}`;
}

/** A text that no honest row has, for a value without canonical JSON. */
function canonicalText(value: unknown): string {
  if (value === undefined) return '';
  try {
    return canonicalize(value);
  } catch {
    return 'not canonical';
  }
}

function parsed(text: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
