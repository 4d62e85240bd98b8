/** The calls of models that cost the most, took the longest or read the most. */
import type { Client, EventFilters, EventQuery } from '@tallystick/client';
import { duration, type TopEvent } from '@tallystick/protocol';

/** What calls are ranked by. */
export interface Measure {
  /** In the address: `by=cost`. */
  readonly name: string;
  readonly title: string;
  /** Above the list. */
  readonly heading: string;
  /**
   * Where records have the number. Records of the taxonomy `soc` name it `llm_…`, those of `agent` as OpenTelemetry does. Other actions
   * have a cost and a duration too, so these are ranked among records of calls alone.
   */
  readonly paths: readonly { readonly by: string; readonly ofCalls?: boolean }[];
  /** The number, for people. */
  readonly text: (value: number) => string;
}

const tokens = (value: number) => value.toLocaleString();

/** In the order in which the page offers them. */
export const measures: readonly Measure[] = [
  {
    name: 'cost',
    title: 'Cost',
    heading: 'Most expensive calls',
    paths: [{ by: 'context.llm_cost_usd' }, { by: 'outcome.cost_usd', ofCalls: true }],
    // All with the same digits, so that they can be compared down the list.
    text: (value) => `$${value.toFixed(6)}`,
  },
  {
    name: 'time',
    title: 'Time',
    heading: 'Slowest calls',
    paths: [{ by: 'context.llm_latency_ms' }, { by: 'outcome.duration_ms', ofCalls: true }],
    text: duration,
  },
  {
    name: 'input',
    title: 'Tokens read',
    heading: 'Calls that read the most tokens',
    paths: [{ by: 'context.llm_input_tokens' }, { by: 'context.gen_ai.usage.input_tokens' }],
    text: tokens,
  },
  {
    name: 'output',
    title: 'Tokens written',
    heading: 'Calls that wrote the most tokens',
    paths: [{ by: 'context.llm_output_tokens' }, { by: 'context.gen_ai.usage.output_tokens' }],
    text: tokens,
  },
];

/** The measure in the parameters of an address; without one, the first. */
export function measureOf(parameters: URLSearchParams): Measure {
  const name = parameters.get('by');
  return measures.find((measure) => measure.name === name) ?? measures[0]!;
}

/** Calls that are shown. */
const shown = 25;
/** The type of a record about a call, in the taxonomy `agent`. */
const callType = 'agent.model.called';

/** The greatest calls of the events that were read so far. */
export interface GreatestCalls {
  /** The greatest first. A value that is no number is left out. */
  readonly calls: readonly (TopEvent & { readonly value: number })[];
  /** Values that were ranked: a call has one at each path of the measure, at most. */
  readonly records: number;
  readonly sensitiveLeftOut: boolean;
  /** Where each path of the measure goes on with older events; absent where it has read all of them. */
  readonly next: readonly (string | undefined)[];
}

/**
 * Ranks the calls among the events of a query: one request for each path of the measure. A request reads some thousand events, the newest
 * first.
 *
 * @param before what an earlier call of this function found: go on with older events
 */
export async function greatestCalls(
  client: Client,
  { order: _, include: __, ...query }: EventQuery,
  measure: Measure,
  before: GreatestCalls | undefined,
  signal: AbortSignal,
): Promise<GreatestCalls> {
  const answers = await Promise.all(
    measure.paths.map(async ({ by, ofCalls = false }, at) => {
      const cursor = before?.next[at];
      if (before !== undefined && cursor === undefined) return undefined;
      const filters = ofCalls ? onlyCalls(query.filters) : query.filters;
      if (filters === null) return undefined;
      return await client.events.top({ ...query, filters, by, limit: shown, cursor }, { signal });
    }),
  );
  const found = [...(before?.calls ?? []), ...answers.flatMap((answer) => answer?.events ?? [])];
  const calls = new Map<unknown, TopEvent & { readonly value: number }>();
  for (const { value, event } of found) {
    // A record may have the number at two paths.
    const known = calls.get(event.audit_id);
    if (typeof value === 'number' && (known === undefined || known.value < value))
      calls.set(event.audit_id, { value, event });
  }
  return {
    calls: [...calls.values()].toSorted((a, b) => b.value - a.value).slice(0, shown),
    records: answers.reduce((sum, answer) => sum + (answer?.records ?? 0), before?.records ?? 0),
    sensitiveLeftOut: answers.some((answer) => answer?.sensitive_left_out ?? before?.sensitiveLeftOut),
    next: answers.map((answer) => answer?.next_cursor),
  };
}

/**
 * The filters, for records about calls of models only.
 *
 * @returns null where the filters leave no such record
 */
function onlyCalls(filters: EventFilters = {}): EventFilters | null {
  const types = [filters.event_type ?? []].flat();
  const isWanted = types.length === 0 || types.some((type) => matches(String(type)));
  return isWanted ? { ...filters, event_type: [callType] } : null;
}

/** Whether a type, or a prefix as `agent.*`, names calls of models. */
function matches(type: string): boolean {
  return type === callType || (type.endsWith('.*') && callType.startsWith(type.slice(0, -1)));
}
