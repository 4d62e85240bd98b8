import {
  actionOf,
  counted,
  decisionOf,
  duration,
  memberIn,
  modelCallOf,
  numberIn,
  type TimelineRecord,
  targetOf,
  textIn,
  textsIn,
  usd,
} from '@tallystick/protocol';
import type { Naming } from './naming.ts';

/** One line of what a record says, with the name of the line. */
export type Detail = readonly [name: string, text: string];

/** What a record is, on its first line: type, state or action, verdict, and who acted. */
export function headOf(record: TimelineRecord, nameOf: Naming): string {
  const { event, type } = record;
  const confidence = numberIn(event, 'decision', 'confidence');
  const verdict = textIn(event, 'decision', 'classification');
  const action = actionOf(record);
  const status = textIn(event, 'outcome', 'outcome_status');
  const target = textIn(event, 'outcome', 'action_target') ?? targetOf(event);
  const parts = [
    event.claimed === true ? `${type} (claimed by a client)` : type,
    modelCallOf(record)?.model,
    stateOf(record),
    decisionOf(record) ??
      (action === undefined
        ? undefined
        : withTarget(action, target === undefined ? undefined : nameOf(target))),
    textIn(event, 'decision', 'effect'),
    verdict === action ? undefined : verdict,
    confidence === undefined ? undefined : `confidence ${confidence}`,
    status === 'success' || status === verdict ? undefined : status,
    event.severity === 'critical' || event.severity === 'warning' ? `${event.severity}` : undefined,
    byOf(event),
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

function stateOf({ event, type }: TimelineRecord): string | undefined {
  const before = textIn(event, 'outcome', 'state_before');
  const after = textIn(event, 'outcome', 'state_after');
  if (before !== undefined) return `${before} → ${after ?? 'not on record'}`;
  // The type says the state of an approval.
  return after === undefined || type.startsWith('approval.') ? undefined : `→ ${after}`;
}

function withTarget(action: string, target: string | undefined): string {
  return target === undefined || action.includes(target) ? action : `${action} ${target}`;
}

function byOf(event: TimelineRecord['event']): string | undefined {
  const actor = textIn(event, 'actor_id');
  if (actor === undefined) return undefined;
  const type = textIn(event, 'actor_type');
  return type === undefined || type === 'service' ? `by ${actor}` : `by ${type}:${actor}`;
}

/** The other lines of a record: why, on what grounds, and what it took. */
export function detailsOf(record: TimelineRecord, nameOf: Naming): Detail[] {
  const { event } = record;
  const details: readonly (readonly [string, string | undefined])[] = [
    ['why', textIn(event, 'decision', 'reasoning_summary') ?? textIn(event, 'decision', 'reason')],
    ['stated', textIn(event, 'context', 'reason_unverified')],
    ['policy', policyOf(event)],
    ['limits', joined(textsIn(event, 'decision', 'constraints_applied'))],
    ['prompt', promptOf(event)],
    ['advice', joined(textsIn(event, 'decision', 'recommended_actions'))],
    ['evidence', evidenceOf(event, nameOf)],
    ['signs', joined(signsOf(event))],
    ['removed', joined(textsIn(event, 'context', 'techniques_quarantined'))],
    ['cost', costOf(record)],
    ['person', personOf(record)],
    ['error', errorOf(event)],
    ['result', resultOf(event)],
  ];
  return details.filter((detail): detail is Detail => detail[1] !== undefined);
}

function joined(texts: readonly string[]): string | undefined {
  return texts.length === 0 ? undefined : texts.join('; ');
}

function policyOf(event: TimelineRecord['event']): string | undefined {
  const name = textIn(event, 'decision', 'policy', 'name');
  if (name === undefined) return undefined;
  const version = textIn(event, 'decision', 'policy', 'version');
  const rule = textIn(event, 'decision', 'rule');
  return `${name}${version === undefined ? '' : ` ${version}`}${rule === undefined ? '' : `, rule ${rule}`}`;
}

function promptOf(event: TimelineRecord['event']): string | undefined {
  const id = textIn(event, 'context', 'llm_prompt_template_id');
  const version = textIn(event, 'context', 'llm_prompt_template_version');
  return id === undefined
    ? undefined
    : `template ${id}${version === undefined ? '' : `, version ${version}`}`;
}

/** Names in a line of evidence. `tally show` has the others. */
const evidenceShown = 8;

function evidenceOf(event: TimelineRecord['event'], nameOf: Naming): string | undefined {
  const refs = textsIn(event, 'context', 'evidence_refs');
  const sources = refs.length > 0 ? refs : textsIn(event, 'context', 'retrieval_sources');
  const pattern = textIn(event, 'context', 'fp_pattern_matched');
  const found = [...(pattern === undefined ? [] : [`pattern ${pattern}`]), ...sources];
  if (found.length === 0) return undefined;
  const more = found.length > evidenceShown ? `, and ${found.length - evidenceShown} more` : '';
  return `${found.slice(0, evidenceShown).map(nameOf).join(', ')}${more}`;
}

/** The patterns by which a text was taken for one that instructs a model. */
export function signsOf(event: TimelineRecord['event']): readonly string[] {
  const detections = memberIn(event, 'context', 'detections');
  if (!Array.isArray(detections)) return [];
  const patterns = detections.map((each) => memberIn({ each }, 'each', 'pattern'));
  return [...new Set(patterns.filter((pattern) => typeof pattern === 'string'))];
}

function costOf(record: TimelineRecord): string | undefined {
  const call = modelCallOf(record);
  if (call === undefined) return undefined;
  const { inputTokens, outputTokens, cachedTokens, costUsd, latencyMs } = call;
  const parts = [
    costUsd === undefined ? 'cost not recorded' : usd(costUsd),
    inputTokens === undefined ? undefined : `${counted(inputTokens, 'token')} in`,
    outputTokens === undefined ? undefined : `${outputTokens} out`,
    cachedTokens === undefined || cachedTokens === 0 ? undefined : `${cachedTokens} from the cache`,
    latencyMs === undefined ? undefined : `answered in ${duration(latencyMs)}`,
  ];
  return joined(parts.filter((part) => part !== undefined))?.replaceAll('; ', ', ');
}

function personOf(record: TimelineRecord): string | undefined {
  const { event } = record;
  const person = textIn(event, 'outcome', 'approval_received_from');
  const latency = numberIn(event, 'outcome', 'approval_latency_ms');
  const comment = textIn(event, 'outcome', 'approval_comment');
  const decided = numberIn(event, 'metadata', 'decisions');
  const required = numberIn(event, 'metadata', 'decisions_required');
  const parts = [
    person,
    latency === undefined ? undefined : `after ${duration(latency)}`,
    decided === undefined || required === undefined ? undefined : `decision ${decided} of ${required}`,
    comment === undefined ? undefined : `comment: ${comment}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}

function errorOf(event: TimelineRecord['event']): string | undefined {
  const parts = [textIn(event, 'outcome', 'error_code'), textIn(event, 'outcome', 'error_message')];
  const known = parts.filter((part) => part !== undefined);
  return known.length === 0 ? undefined : known.join(': ');
}

function resultOf(event: TimelineRecord['event']): string | undefined {
  const took =
    memberIn(event, 'context', 'llm_model_tier') === undefined && numberIn(event, 'outcome', 'duration_ms');
  const reference = textIn(event, 'outcome', 'reference');
  const parts = [
    reference === undefined ? undefined : `reference ${reference}`,
    typeof took === 'number' && took > 0 ? `took ${duration(took)}` : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(', ');
}
