import { Option } from 'commander';
import type { DeadLetterInfo } from '../backend/backend.ts';
import type { Register } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { printable } from '../terminal/printable.ts';
import { renderFields, renderTable } from '../terminal/table.ts';
import { shortTime } from './event-columns.ts';

const columns = [
  { title: 'ID', value: ({ id }: DeadLetterInfo) => id },
  { title: 'LAST SEEN', value: ({ last_seen_at }: DeadLetterInfo) => shortTime(last_seen_at) },
  { title: 'SEEN', value: ({ seen }: DeadLetterInfo) => seen, align: 'right' as const },
  { title: 'TENANT', value: ({ tenant_id }: DeadLetterInfo) => tenant_id ?? '?' },
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

  const list = dlq
    .command('list')
    .description('list them, oldest first')
    .addOption(
      new Option('--state <state>', 'open, or settled so')
        .choices(['open', 'retried', 'purged'])
        .default('open'),
    );
  run<{ readonly state: string }>(list, async (context, { state }) => {
    const { terminal, settings } = context;
    await using backend = await context.openBackend();
    const letters: DeadLetterInfo[] = [];
    const tenant = settings.tenant;
    for await (const letter of backend.listDeadLetters({ state, ...(tenant !== undefined && { tenant }) })) {
      if (terminal.json) await terminal.jsonLine(letter);
      else letters.push(letter);
    }
    if (terminal.json) return undefined;
    if (letters.length === 0) terminal.note(`no ${state} dead letters`);
    else await terminal.write(renderTable(terminal, columns, letters));
    return undefined;
  });

  run(dlq.command('show').description('show one').argument('<id>'), async (context, _, [id]) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const letter = await backend.getDeadLetter(id!);
    if (terminal.json) await terminal.jsonLine(letter);
    else {
      const fields = Object.entries(letter).map(
        ([name, value]) => [name, value === null ? undefined : String(value)] as const,
      );
      await terminal.write(renderFields(terminal, fields));
    }
    return undefined;
  });

  run(dlq.command('retry').description('submit one again').argument('<id>'), async (context, _, [id]) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const outcome = await backend.retryDeadLetter(id!);
    if (terminal.json) await terminal.jsonLine(outcome);
    else if ('error' in outcome) {
      terminal.warn(
        `refused again: ${printable(`${outcome.error.pointer} ${outcome.error.message}`.trim())} (${outcome.error.code})`,
      );
    } else
      await terminal.line(
        `${outcome.status} as ${outcome.receipt.tenant_id} #${outcome.receipt.sequence_number}`,
      );
    return 'error' in outcome ? exitCodes.broken : undefined;
  });

  run(
    dlq.command('purge').description('erase the bytes of one for good').argument('<id>'),
    async (context, _, [id]) => {
      await using backend = await context.openBackend();
      await backend.purgeDeadLetter(id!);
      context.terminal.note(`purged ${id}; that it was refused stays on record`);
      return undefined;
    },
  );
};
