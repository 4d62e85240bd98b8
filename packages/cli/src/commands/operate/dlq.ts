import type { DeadLetter, DeadLetterInfo, DeadLetterState, RetryResult } from '@tallystick/protocol';
import { type Command, Option } from 'commander';
import type { Backend } from '../../backend/backend.ts';
import type { Context, Register } from '../../context.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { printRows } from '../../terminal/listed-rows.ts';
import { renderFields } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';
import { age, wholeNumber } from '../options/option-values.ts';

interface FilterOptions {
  readonly reason?: string;
  readonly topic?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
}

interface ListOptions {
  readonly state: DeadLetterState;
  readonly limit?: number;
}

const columns = [
  { title: 'ID', value: ({ id }: DeadLetterInfo) => id },
  { title: 'LAST SEEN', value: ({ last_seen_at }: DeadLetterInfo) => shortTime(last_seen_at) },
  { title: 'SEEN', value: ({ seen }: DeadLetterInfo) => seen, align: 'right' as const },
  { title: 'TENANT', value: ({ tenant_id }: DeadLetterInfo) => tenant_id ?? '?' },
  { title: 'FROM', value: originOf },
  { title: 'REASON', value: ({ reason }: DeadLetterInfo) => reason },
  {
    title: 'DETAILS',
    value: ({ pointer, message }: DeadLetterInfo) => `${pointer} ${message}`.trim(),
    flexible: true,
  },
];

/** `tally dlq`: events that the service refused. It keeps each until an operator retries or purges it. */
export const registerDlq: Register = (program, run) => {
  const dlq = program
    .command('dlq')
    .summary('list, retry and purge refused events (dead letters)')
    .description('Manages dead letters: events that the service refused and keeps until you decide.');

  const list = withFilter(
    dlq.command('list').summary('list dead letters').description('Lists dead letters, oldest first.'),
  )
    .addOption(
      new Option('--state <state>', 'list dead letters in this state')
        .choices(['open', 'retried', 'purged'])
        .default('open'),
    )
    .option('-n, --limit <count>', 'list at most this many dead letters (default: all)', wholeNumber);
  addExamples(list, 'tally dlq list --tenant acme', 'tally dlq list --older-than 30d --json');
  run<FilterOptions & ListOptions>(list, async (context, options) => {
    const { state, limit } = options;
    await using backend = await context.openBackend();
    const deadLetters = backend.client.deadLetters.listAll({ state, ...filterOf(context, options) });
    await printRows(context.terminal, deadLetters, { columns, limit, none: `no ${state} dead letters` });
    return undefined;
  });

  const show = dlq
    .command('show')
    .summary('show one dead letter')
    .description('Shows one dead letter. With the scope admin it also shows the event as it was received.')
    .argument('<id>', 'id of the dead letter, from tally dlq list')
    .option('--raw', 'write only the event: to a file or pipe byte for byte as it was received');
  addExamples(show, 'tally dlq show 01903f5b-7f00-7abc-8def-0123456789ab --raw');
  run<{ readonly raw?: boolean }>(show, async (context, { raw }, [id]) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const deadLetter = await backend.client.deadLetters.get(id!);
    if (raw === true) await terminal.bytes(bytesOf(deadLetter));
    else if (terminal.json) await terminal.jsonLine(deadLetter);
    else await terminal.write(renderFields(terminal, fieldsOf(deadLetter)));
    return undefined;
  });

  const retry = withFilter(
    dlq
      .command('retry')
      .summary('submit refused events again')
      .description(
        'Submits dead letters again: those with the given ids, or all open ones that match the filters. The exit code is 1 if ' +
          'any of them is refused again.',
      ),
  )
    .argument('[ids...]', 'ids of dead letters')
    .option('-n, --limit <count>', 'submit at most this many, the oldest first (default: all)', wholeNumber);
  addExamples(
    retry,
    'tally dlq retry --reason FIELD_UNKNOWN --tenant acme',
    'tally dlq retry --reason FIELD_UNKNOWN --limit 100',
  );
  run<FilterOptions & Pick<ListOptions, 'limit'>>(retry, async (context, options, ids) => {
    await using backend = await context.openBackend();
    let tried = 0;
    let refused = 0;
    for await (const id of selected(backend, context, options, ids)) {
      const result = await backend.client.deadLetters.retry(id);
      tried++;
      if ('error' in result) refused++;
      await printRetry(context, id, result);
    }
    if (tried > 1 && !context.terminal.json)
      context.terminal.note(`${tried} submitted again, ${refused} of them refused again`);
    return refused > 0 ? exitCodes.broken : undefined;
  });

  const purge = withFilter(
    dlq
      .command('purge')
      .summary('erase refused events permanently')
      .description(
        'Erases the bytes of dead letters permanently: of those with the given ids, or of all that match the filters. The ' +
          "entries stay in the list, and each tenant's chain records the hashes of what was erased. Without --yes it only " +
          'counts them.',
      ),
  )
    .argument('[ids...]', 'ids of dead letters')
    .addOption(new Option('--state <state>', 'only dead letters in this state').choices(['open', 'retried']))
    .option('--yes', 'erase them; without it they are only counted');
  addExamples(purge, 'tally dlq purge --older-than 30d', 'tally dlq purge --older-than 30d --yes');
  run<FilterOptions & { readonly state?: 'open' | 'retried'; readonly yes?: boolean }>(
    purge,
    async (context, { state, yes, ...options }, ids) => {
      requireSelection(options, ids, state);
      const { terminal } = context;
      await using backend = await context.openBackend();
      const {
        purged,
        letters: count,
        by_reason,
      } = await backend.client.deadLetters.purge({
        ...filterOf(context, options),
        state,
        ids: ids.length === 0 ? undefined : ids,
        dry_run: yes !== true,
      });
      if (terminal.json) await terminal.jsonLine({ purged, letters: count, by_reason });
      else {
        for (const [reason, count] of Object.entries(by_reason)) await terminal.line(`${count}  ${reason}`);
        const note = purged
          ? `erased ${count}; the chain records that they were refused and erased`
          : `${count} would be erased; add --yes to erase them`;
        terminal.note(note);
      }
      return ids.length > 0 && count < new Set(ids).size ? exitCodes.broken : undefined;
    },
  );
};

function withFilter(command: Command): Command {
  return command
    .option('--reason <code>', 'only dead letters that were refused for this reason')
    .option('--topic <name>', 'only dead letters that came from this Kafka topic')
    .option(
      '--older-than <age>',
      'only dead letters that last arrived longer ago, such as 30d, 12h or 5m',
      age,
    );
}

function filterOf({ settings, processContext }: Context, { reason, topic, olderThan }: FilterOptions) {
  const before =
    olderThan === undefined ? undefined : new Date(processContext.now() - olderThan).toISOString();
  return { tenant_id: settings.tenant, reason, topic, before };
}

/** Refuses a command without any filter: a forgotten option must not retry or erase everything. */
function requireSelection(
  { reason, topic, olderThan }: FilterOptions,
  ids: readonly string[],
  state?: string,
): void {
  if (ids.length > 0 || [reason, topic, olderThan, state].some((given) => given !== undefined)) return;
  throw new CliError('USAGE', 'say which dead letters: give ids, --reason, --topic or --older-than');
}

/** Ids of the dead letters to retry. They are all read first: one that is refused again must not be found a second time. */
async function* selected(
  { client }: Backend,
  context: Context,
  options: FilterOptions & Pick<ListOptions, 'limit'>,
  ids: readonly string[],
): AsyncGenerator<string> {
  requireSelection(options, ids);
  const { limit = Number.POSITIVE_INFINITY } = options;
  if (ids.length > 0) {
    yield* ids.slice(0, limit);
    return;
  }
  const found: string[] = [];
  const query = { state: 'open' as const, ...filterOf(context, options) };
  for await (const { id } of client.deadLetters.listAll(query)) {
    if (found.length >= limit) break;
    found.push(id);
  }
  if (found.length === 0 && limit > 0) context.terminal.note('no open dead letters');
  yield* found;
}

async function printRetry({ terminal }: Context, id: string, result: RetryResult): Promise<void> {
  if (terminal.json) await terminal.jsonLine({ id, ...result });
  else if ('error' in result) {
    const { pointer = '', message, code } = result.error;
    terminal.warn(`${id} was refused again: ${`${pointer} ${message}`.trim()} (${code})`);
  } else if (!('receipt' in result)) await terminal.line(`${id} ${result.status}`);
  else {
    const { tenant_id, sequence_number } = result.receipt;
    await terminal.line(`${id} ${result.status} as ${tenant_id} #${sequence_number}`);
  }
}

function originOf({ topic, partition, offset, source }: DeadLetterInfo): string {
  return topic === null ? source : `${topic}/${partition}/${offset}`;
}

function bytesOf({ id, state, raw_base64 }: DeadLetter): Buffer {
  if (state === 'purged') throw new CliError('NOT_FOUND', `the bytes of ${id} were erased`);
  if (raw_base64 === undefined) {
    const hint = 'a refused event may contain anything, so only the scope admin shows it';
    throw new CliError('UNAUTHORIZED', 'the API key may not read the event as it was received', { hint });
  }
  return Buffer.from(raw_base64, 'base64');
}

/** The fields of a dead letter. Its bytes are shown as text if they are valid UTF-8. */
function fieldsOf({ raw_base64, ...info }: DeadLetter): [name: string, value: string | undefined][] {
  const fields = Object.entries(info).map(([name, value]): [string, string | undefined] => [
    name,
    value === null ? undefined : String(value),
  ]);
  if (raw_base64 === undefined || raw_base64 === '') return fields;
  const bytes = Buffer.from(raw_base64, 'base64');
  const text = bytes.toString();
  return [...fields, Buffer.from(text).equals(bytes) ? ['raw', text] : ['raw_base64', raw_base64]];
}
