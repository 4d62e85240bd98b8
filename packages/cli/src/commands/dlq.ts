import { type Command, Option } from 'commander';
import type { Backend, DeadLetterInfo, RetryOutcome } from '../backend/backend.ts';
import type { Context, Register } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { printable } from '../terminal/printable.ts';
import { renderFields, renderTable } from '../terminal/table.ts';
import { age } from './age.ts';
import { shortTime } from './event-columns.ts';

interface FilterOptions {
  readonly reason?: string;
  readonly topic?: string;
  /** Milliseconds. */
  readonly olderThan?: number;
}

const columns = [
  { title: 'ID', value: ({ id }: DeadLetterInfo) => id },
  { title: 'LAST SEEN', value: ({ last_seen_at }: DeadLetterInfo) => shortTime(last_seen_at) },
  { title: 'SEEN', value: ({ seen }: DeadLetterInfo) => seen, align: 'right' as const },
  { title: 'TENANT', value: ({ tenant_id }: DeadLetterInfo) => tenant_id ?? '?' },
  { title: 'FROM', value: placeOf },
  { title: 'REASON', value: ({ reason }: DeadLetterInfo) => reason },
  {
    title: 'WHAT',
    value: ({ pointer, message }: DeadLetterInfo) => `${pointer} ${message}`.trim(),
    flexible: true,
  },
];

/** `tally dlq`: events that were refused. None is dropped: each waits here until somebody settles it. */
export const registerDlq: Register = (program, run) => {
  const dlq = program.command('dlq').description('dead letters: events that were refused');

  const list = withFilter(dlq.command('list').description('list them, oldest first')).addOption(
    new Option('--state <state>', 'open, or settled so')
      .choices(['open', 'retried', 'purged'])
      .default('open'),
  );
  run<FilterOptions & { readonly state: string }>(list, async (context, options) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const letters: DeadLetterInfo[] = [];
    for await (const letter of backend.listDeadLetters({
      state: options.state,
      ...filterOf(context, options),
    })) {
      if (terminal.json) await terminal.jsonLine(letter);
      else letters.push(letter);
    }
    if (terminal.json) return undefined;
    if (letters.length === 0) terminal.note(`no ${options.state} dead letters`);
    else await terminal.write(renderTable(terminal, columns, letters));
    return undefined;
  });

  const show = dlq
    .command('show')
    .description('show one; what was received, with the scope admin')
    .argument('<id>')
    .option('--raw', 'write what was received, byte for byte, and nothing else');
  run<{ readonly raw?: boolean }>(show, async (context, { raw }, [id]) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const letter = await backend.getDeadLetter(id!);
    if (raw === true) await terminal.write(bytesOf(letter));
    else if (terminal.json) await terminal.jsonLine(letter);
    else await terminal.write(renderFields(terminal, fieldsOf(letter)));
    return undefined;
  });

  const retry = withFilter(
    dlq.command('retry').description('submit some again: those named, or all open ones that fit'),
  ).argument('[ids...]');
  run<FilterOptions>(retry, async (context, options, ids) => {
    await using backend = await context.openBackend();
    let refused = 0;
    for await (const id of meant(backend, context, options, ids)) {
      const outcome = await backend.retryDeadLetter(id);
      if ('error' in outcome) refused++;
      await tellRetry(context, id, outcome);
    }
    return refused > 0 ? exitCodes.broken : undefined;
  });

  const purge = withFilter(
    dlq
      .command('purge')
      .summary('erase the bytes of some for good')
      .description(
        'Erases the bytes of those named, or of all that fit, for good. That they were refused stays, and the chain of each ' +
          'tenant gets the hashes of what was erased. Without --yes it only says how many they are.',
      ),
  )
    .argument('[ids...]')
    .addOption(new Option('--state <state>', 'only those').choices(['open', 'retried']))
    .option('--yes', 'do it');
  run<FilterOptions & { readonly state?: string; readonly yes?: boolean }>(
    purge,
    async (context, { state, yes, ...options }, ids) => {
      requireSelection(options, ids, state);
      const { terminal } = context;
      await using backend = await context.openBackend();
      const { purged, letters, by_reason } = await backend.purgeDeadLetters({
        ...filterOf(context, options),
        state,
        ids: ids.length === 0 ? undefined : ids,
        dryRun: yes !== true,
      });
      if (terminal.json) await terminal.jsonLine({ purged, letters, by_reason });
      else {
        for (const [reason, count] of Object.entries(by_reason)) await terminal.line(`${count}  ${reason}`);
        const note = purged
          ? `purged ${letters}; that they were refused stays on record`
          : `${letters} would be purged; --yes does it`;
        terminal.note(note);
      }
      return ids.length > 0 && letters < new Set(ids).size ? exitCodes.broken : undefined;
    },
  );
};

function withFilter(command: Command): Command {
  return command
    .option('--reason <code>', 'only those refused for this reason')
    .option('--topic <name>', 'only those that came from this topic')
    .option('--older-than <age>', 'only those last delivered longer ago, such as 30d, 12h or 5m', age);
}

function filterOf({ settings, surroundings }: Context, { reason, topic, olderThan }: FilterOptions) {
  const before = olderThan === undefined ? undefined : new Date(surroundings.now() - olderThan).toISOString();
  return { tenant: settings.tenant, reason, topic, before };
}

/** Nobody gives everything up, or sends it again, by leaving something out. */
function requireSelection(
  { reason, topic, olderThan }: FilterOptions,
  ids: readonly string[],
  state?: string,
): void {
  if (ids.length > 0 || [reason, topic, olderThan, state].some((said) => said !== undefined)) return;
  throw new CliError('USAGE', 'say which dead letters: ids, --reason, --topic or --older-than');
}

/** Listed first, as they stand: a retry that is refused again must not come round once more. */
async function* meant(
  backend: Backend,
  context: Context,
  options: FilterOptions,
  ids: readonly string[],
): AsyncGenerator<string> {
  requireSelection(options, ids);
  if (ids.length > 0) {
    yield* ids;
    return;
  }
  const found: string[] = [];
  const query = { state: 'open', ...filterOf(context, options) };
  for await (const { id } of backend.listDeadLetters(query)) found.push(id);
  if (found.length === 0) context.terminal.note('no open dead letters');
  yield* found;
}

async function tellRetry({ terminal }: Context, id: string, outcome: RetryOutcome): Promise<void> {
  if (terminal.json) await terminal.jsonLine({ id, ...outcome });
  else if ('error' in outcome) {
    const { pointer, message, code } = outcome.error;
    terminal.warn(`${id} was refused again: ${printable(`${pointer} ${message}`.trim())} (${code})`);
  } else if (!('receipt' in outcome)) await terminal.line(`${id} ${outcome.status}`);
  else {
    const { tenant_id, sequence_number } = outcome.receipt;
    await terminal.line(`${id} ${outcome.status} as ${tenant_id} #${sequence_number}`);
  }
}

function placeOf({ topic, partition, offset, source }: DeadLetterInfo): string {
  return topic === null ? source : `${topic}/${partition}/${offset}`;
}

function bytesOf({ id, state, raw_base64 }: DeadLetterInfo): Buffer {
  if (state === 'purged') throw new CliError('NOT_FOUND', `the bytes of ${id} were purged`);
  if (raw_base64 === undefined) {
    const hint = 'what was refused may hold anything: it needs the scope admin';
    throw new CliError('UNAUTHORIZED', 'the key may not see what was received', { hint });
  }
  return Buffer.from(raw_base64, 'base64');
}

/** What was received is shown as text where it is text. */
function fieldsOf({ raw_base64, ...letter }: DeadLetterInfo): [name: string, value: string | undefined][] {
  const fields = Object.entries(letter).map(([name, value]): [string, string | undefined] => [
    name,
    value === null ? undefined : String(value),
  ]);
  if (raw_base64 === undefined || raw_base64 === '') return fields;
  const bytes = Buffer.from(raw_base64, 'base64');
  const text = bytes.toString();
  return [...fields, Buffer.from(text).equals(bytes) ? ['raw', text] : ['raw_base64', raw_base64]];
}
