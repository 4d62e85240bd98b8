import type { FollowedEvent } from '@tallystick/client';

/** A record of the trail, as the service lists it. */
export type EventView = FollowedEvent['event'];

/** What a line of the live view is about. Each has a colour. */
export type LineKind = 'news' | 'danger' | 'model' | 'person' | 'done' | 'refused';

/** What the live view says about one record. */
export interface RecordLine {
  readonly kind: LineKind;
  /** One word, at the beginning of the line. */
  readonly what: string;
  readonly text: string;
}

/** A member of an event as a text; an empty text if it is absent. */
export function textAt(event: EventView, ...path: readonly string[]): string {
  const value = path.reduce<unknown>(
    (from, name) => (from as Record<string, unknown> | undefined)?.[name],
    event,
  );
  return value === undefined || value === null ? '' : String(value);
}

type Describe = (event: EventView, title: string) => RecordLine | undefined;

const action = (event: EventView) => textAt(event, 'context', 'action');
const reason = (event: EventView) => textAt(event, 'decision', 'reasoning_summary');
/** A hash is long, and its beginning is enough to tell it from others. */
const shortened = (id: string) => (id.length > 32 ? `${id.slice(0, 8)}…` : id);

/** What an action was done to. An action on the investigation itself needs no words: the line says which it is. */
function onTarget(event: EventView): string {
  const type = textAt(event, 'target_type');
  return type === 'investigation' ? '' : ` on ${type} ${shortened(textAt(event, 'target_id'))}`;
}

function refused(event: EventView): RecordLine {
  const code = textAt(event, 'outcome', 'error_code');
  return { kind: 'refused', what: 'refused', text: `${code}: ${reason(event)}` };
}

const isRefused = (event: EventView) => textAt(event, 'outcome', 'error_code') !== '';

const descriptions: { readonly [type: string]: Describe } = {
  'alert.classified': (event, title) =>
    isRefused(event)
      ? refused(event)
      : {
          kind: 'news',
          what: 'alert',
          text: `${textAt(event, 'decision', 'severity_assigned')}, ${textAt(event, 'context', 'alert_source')}: ${title}`,
        },
  'ctem.exposure_scored': (event) => {
    if (isRefused(event)) return refused(event);
    const severity = textAt(event, 'decision', 'severity_assigned');
    // The others are many, and would push what is urgent off the screen.
    if (severity !== 'critical' && severity !== 'high') return undefined;
    const weakness = `${textAt(event, 'context', 'weakness')} on ${textAt(event, 'context', 'asset')}`;
    return { kind: 'news', what: 'exposure', text: `${severity}: ${weakness}` };
  },
  'atlas.detection_fired': (event) =>
    isRefused(event) ? refused(event) : { kind: 'danger', what: 'detection', text: reason(event) },
  'injection.quarantined': (event, title) => ({
    kind: 'danger',
    what: 'quarantined',
    text: `no model reads ${title}: ${patternsOf(event)}`,
  }),
  'technique.quarantined': (event) => ({ kind: 'danger', what: 'quarantined', text: reason(event) }),
  'routing.tier_selected': describeModelCall,
  'accumulation.threshold_breached': (event) => ({
    kind: 'danger',
    what: 'limit',
    text: `${reason(event)}; people decide from now on`,
  }),
  'approval.requested': (event, title) => {
    const needed = Number(textAt(event, 'context', 'rules', 'approvals'));
    const people = needed === 1 ? '1 person' : `${needed} people`;
    return { kind: 'person', what: 'asked', text: `${people} for ${action(event)}: ${title}` };
  },
  'approval.granted': (event, title) => ({
    kind: 'person',
    what: 'granted',
    text: `${textAt(event, 'actor_id')} grants ${action(event)}: ${title}`,
  }),
  'approval.denied': (event, title) => ({
    kind: 'person',
    what: 'denied',
    text: `${textAt(event, 'actor_id')} denies ${action(event)}: ${title}`,
  }),
  'response.executed': (event, title) => {
    const what = textAt(event, 'outcome', 'action_taken');
    // A person has confirmed what the platform concluded. The line of the approval says so.
    if (what === 'confirm_verdict') return undefined;
    return { kind: 'done', what: 'done', text: `${what}${onTarget(event)}: ${title}` };
  },
  'response.generated': (event, title) => {
    const verdict = textAt(event, 'decision', 'classification') || 'no verdict';
    return {
      kind: 'done',
      what: 'closed',
      text: `${verdict}, ${textAt(event, 'outcome', 'state_after').replace(/^closed /, '')}: ${title}`,
    };
  },
  'alert.short_circuited': (event) => ({ kind: 'done', what: 'skipped', text: reason(event) }),
  'fp_pattern.created': (event) => ({ kind: 'news', what: 'pattern', text: reason(event) }),
  'fp_pattern.approved': (event) => ({
    kind: 'person',
    what: 'granted',
    text: `${textAt(event, 'actor_id')} approves the pattern, ${reason(event)}`,
  }),
  'fp_pattern.activated': (event) => ({ kind: 'news', what: 'pattern', text: reason(event) }),
  'playbook.generated': (event) => ({ kind: 'news', what: 'playbook', text: reason(event) }),
};

/** What the live view says about a record, or nothing: most records are details of what another one says. */
export function lineOf(event: EventView, title: string): RecordLine | undefined {
  const type = textAt(event, 'event_type');
  return Object.hasOwn(descriptions, type) ? descriptions[type]!(event, title) : undefined;
}

function describeModelCall(event: EventView, title: string): RecordLine | undefined {
  // Reviews of closed investigations repeat what the first call said.
  if (textAt(event, 'context', 'llm_prompt_template_id') !== 'alert.classify') return undefined;
  const [tier, provider, model] = ['llm_model_tier', 'llm_provider', 'llm_model_id'].map((name) =>
    textAt(event, 'context', name),
  );
  const verdict = textAt(event, 'decision', 'classification');
  const cost = textAt(event, 'context', 'llm_cost_usd');
  const said = `${verdict} ${textAt(event, 'decision', 'confidence')}`;
  return {
    kind: 'model',
    what: 'model',
    text: `${said}, tier ${tier}, $${cost}, ${provider} ${model}: ${title}`,
  };
}

function patternsOf(event: EventView): string {
  const { detections = [] } = (event.context ?? {}) as { detections?: readonly { pattern: string }[] };
  return [...new Set(detections.map(({ pattern }) => pattern))].join(', ');
}
