import { type OpenIntent, type OpenIntentState, openIntentStates } from '@tallystick/protocol';
import { Option } from 'commander';
import type { Register } from '../../context.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { printRows } from '../../terminal/listed-rows.ts';
import { addExamples } from '../options/examples.ts';
import { age, wholeNumber } from '../options/option-values.ts';

interface IntentsOptions {
  readonly state?: OpenIntentState;
  readonly actor?: string;
  readonly action?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly limit?: number;
}

/** A list that is further behind than this is not called current, seconds. */
const currentSeconds = 60;

const columns = [
  { title: 'INTENT', value: ({ intent_id }: OpenIntent) => intent_id },
  {
    title: 'STATE',
    value: ({ state, waiting }: OpenIntent) => (waiting ? `${state}: approval pending` : state),
    style: ({ state }: OpenIntent) =>
      state === 'unresolved' || state === 'unexplained' ? ('yellow' as const) : undefined,
  },
  { title: 'TENANT', value: ({ tenant_id }: OpenIntent) => tenant_id, flexible: true },
  { title: 'AGENT', value: ({ actor_id }: OpenIntent) => actor_id, flexible: true },
  { title: 'ACTION', value: ({ action }: OpenIntent) => action ?? '', flexible: true },
  { title: 'TARGET', value: ({ target_id }: OpenIntent) => target_id ?? '', flexible: true },
  { title: 'CHAINED', value: ({ ingested_at }: OpenIntent) => shortTime(ingested_at) },
  { title: 'DEADLINE', value: ({ deadline }: OpenIntent) => shortTime(deadline) },
];

/** `tally intents`: actions of agents of which the chains have the intent or the end, and not both. */
export const registerIntents: Register = (program, run) => {
  const command = program
    .command('intents')
    .summary('list actions of agents that are not complete')
    .description(
      'Lists the actions of agents whose end or whose intent is not in the chain, in the order of their deadlines. open: the end is ' +
        'missing, and may still come. unresolved: the end is missing, and the chain says so. early and unexplained are the same for a ' +
        'missing intent: something was done that no intent announced.',
    )
    .addOption(new Option('--state <state>', 'only actions in this state').choices([...openIntentStates]))
    .option('--actor <id>', 'only actions of this agent')
    .option('--action <name>', 'only this tool or action')
    .option('--older-than <age>', 'only actions that were chained so long ago, such as 30d, 12h or 5m', age)
    .option('-n, --limit <count>', 'list at most this many actions (default: all)', wholeNumber);
  addExamples(
    command,
    'tally intents --tenant acme',
    'tally intents --state unresolved --older-than 1h --json',
  );
  run<IntentsOptions>(command, async (context, { state, actor, action, olderThan, limit }) => {
    const { terminal, settings } = context;
    await using backend = await context.openBackend();
    const query = {
      tenant_id: settings.tenant,
      state,
      actor_id: actor,
      action,
      min_age_seconds: olderThan === undefined ? undefined : Math.round(olderThan / 1_000),
    };
    const { client } = backend;
    const { behind_seconds: behind } = await client.openIntents.list({ ...query, limit: 1 });
    const none = 'no incomplete actions of agents found';
    await printRows(terminal, client.openIntents.listAll(query), { columns, limit, none });
    if (behind > currentSeconds)
      terminal.warn(
        `the list lacks records of the last ${Math.round(behind)} s: see tally followers show open-intents`,
      );
    return undefined;
  });
};
