import type { Found, Missing } from '@tallystick/client';
import { counted, type OpenIntent, type ProducerAccount, textIn } from '@tallystick/protocol';
import { shortTime } from '../../terminal/event-columns.ts';
import { missingText } from '../../timeline/missing-texts.ts';

/** One kind of thing that is missing. */
export interface MissingSection {
  /** Names the kind in JSON. */
  readonly kind: string;
  /** What there is some of, in the plural. */
  readonly title: string;
  /** One text for each thing. */
  readonly texts: readonly string[];
  /** Whether there are more that were not read. */
  readonly more: boolean;
  /** Whether it may still come: it is no loss yet. */
  readonly isPending: boolean;
  /** The command that shows more, or repairs it. */
  readonly next: string;
}

/**
 * What `tally missing` looks for, each with what it found.
 *
 * @param tenant the tenant that the next commands name; absent where the settings name it
 */
export function sectionsOf(
  missing: Missing,
  {
    investigation,
    tenant,
  }: { readonly investigation: string | undefined; readonly tenant: string | undefined },
): MissingSection[] {
  const ofTenant = tenant === undefined ? '' : ` --tenant ${quoted(tenant)}`;
  const section = <T>(
    kind: string,
    title: string,
    { found, more }: Found<T>,
    textOf: (item: T) => string,
    next: string,
    isPending = false,
  ): MissingSection => ({ kind, title, texts: found.map(textOf), more, isPending, next: next + ofTenant });
  const { gaps, unclosed, refused, actions, pending, declared, causes } = missing;
  const accounts = [
    section('gap', 'gaps in the numbers of producers', gaps, gapText, 'tally producers'),
    section('unclosed', 'producers without a last number', unclosed, unclosedText, 'tally producers'),
    section(
      'refused',
      'refused events',
      refused,
      ({ id, reason, audit_id }) => `${reason}: event ${audit_id ?? 'without an id'}, dead letter ${id}`,
      'tally dlq list',
    ),
  ];
  const { reasons = [], stopped_chains: stopped = 0 } = missing.readiness ?? {};
  const waits = section(
    'waiting',
    'reasons why batches wait',
    { found: reasons, more: missing.readiness === undefined },
    (reason) => reason,
    stopped > 0 ? 'tally recover' : 'tally followers list',
    true,
  );
  if (investigation !== undefined) {
    const found = { found: missing.investigation, more: false };
    const next = `tally timeline ${quoted(investigation)}`;
    return [
      section('investigation', 'gaps in the records of the investigation', found, missingText, next),
      ...accounts,
      waits,
    ];
  }
  return [
    ...accounts,
    section('declared', 'declared losses', declared, lossText, "tally events --type 'delivery.*'"),
    section('action', 'actions of agents without an end or an intent', actions, actionText, 'tally intents'),
    section(
      'cause',
      'causes that are not in the trail',
      causes,
      ({ cause, sequence_number }) => `#${sequence_number} names ${cause}`,
      causes.found[0] === undefined ? 'tally show NUMBER' : `tally show ${causes.found[0].sequence_number}`,
    ),
    section(
      'pending',
      'actions of agents that are not over',
      pending,
      actionText,
      'tally intents --state open',
      true,
    ),
    waits,
  ];
}

/** A text as a word for a shell. */
function quoted(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Most ranges of numbers in a text. */
const shownRanges = 3;

function gapText(account: ProducerAccount): string {
  const ranges = account.open
    .slice(0, shownRanges)
    .map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  const others = account.open.length - ranges.length;
  const numbers = [...ranges, ...(others > 0 ? [`${others} more ranges`] : [])].join(', ');
  return `${nameOf(account)}: ${account.open_numbers} of ${account.numbers} numbers have no known outcome: ${numbers}`;
}

function unclosedText(account: ProducerAccount): string {
  return `${nameOf(account)}: silent since ${shortTime(account.last_seen_at)} after number ${account.numbers}`;
}

function nameOf({ service, producer_id }: ProducerAccount): string {
  return service === null ? producer_id : `${service} ${producer_id}`;
}

function actionText({ actor_id, action, target_id, state, intent_id }: OpenIntent): string {
  const what = [action ?? 'an action', target_id].filter((part) => part !== null).join(' ');
  return `${actor_id}: ${what} is ${state} (${intent_id})`;
}

function lossText(event: Missing['declared']['found'][number]): string {
  const events = (event.metadata as { readonly events?: unknown } | undefined)?.events;
  const lost = typeof events === 'number' ? `, ${counted(events, 'event')}` : '';
  return `#${event.sequence_number} ${textIn(event, 'event_type') ?? '(sensitive)'} of ${textIn(event, 'target_id') ?? '?'}${lost}`;
}
