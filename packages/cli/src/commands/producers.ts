import type { ProducerAccount } from '../backend/backend.ts';
import type { Register } from '../context.ts';
import { CliError } from '../errors.ts';
import { renderTable } from '../terminal/table.ts';
import { age } from './age.ts';
import { shortTime } from './event-columns.ts';

interface ProducersOptions {
  readonly all?: boolean;
  readonly silent: number;
}

interface SettleOptions {
  readonly reason: string;
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly yes?: boolean;
}

/** Ranges that a line of the table has room for. */
const shownRanges = 3;

const columns = [
  { title: 'TENANT', value: ({ tenant_id }: ProducerAccount) => tenant_id },
  { title: 'SERVICE', value: ({ service }: ProducerAccount) => service ?? '' },
  { title: 'PRODUCER', value: ({ producer_id }: ProducerAccount) => producer_id },
  { title: 'STATE', value: ({ state }: ProducerAccount) => state },
  { title: 'NUMBERS', value: ({ numbers }: ProducerAccount) => numbers, align: 'right' as const },
  { title: 'OPEN', value: openOf },
  { title: 'LAST', value: ({ last_seen_at }: ProducerAccount) => shortTime(last_seen_at) },
  { title: 'SUBMITTER', value: ({ submitter }: ProducerAccount) => submitter, flexible: true },
];

/** `tally producers`: whose events are not all accounted for, and the last word for those that are gone. */
export const registerProducers: Register = (program, run) => {
  const command = program
    .command('producers')
    .summary('list producers whose events are not all accounted for')
    .description(
      'Lists producers with numbers of which nobody has said what became of them (open), and those that fell silent ' +
        'without saying their last number (unclosed): what they held when they ended, nobody knows.',
    )
    .option('--all', 'those that are closed or running, too')
    .option('--silent <age>', 'silent for longer than this counts as ended', age, 3_600_000);
  run<ProducersOptions>(command, async (context, { all, silent }) => {
    await using backend = await context.openBackend();
    const accounts: ProducerAccount[] = [];
    const silentSeconds = Math.max(1, Math.round(silent / 1000));
    for await (const account of backend.listProducers({
      tenant: context.settings.tenant,
      all,
      silentSeconds,
    })) {
      if (context.terminal.json) await context.terminal.jsonLine(account);
      else accounts.push(account);
    }
    if (context.terminal.json) return undefined;
    if (accounts.length > 0) await context.terminal.write(renderTable(context.terminal, columns, accounts));
    else context.terminal.note(all === true ? 'no producers' : 'every producer is accounted for');
    return undefined;
  });

  const settle = command
    .command('settle')
    .summary('say the last word for producers that are gone')
    .description(
      'Declares the open numbers of those named lost, or of all that fit, and closes their accounts: each range is a ' +
        'delivery.gap in the chain of its tenant, and one that fell silent without its last number gets a ' +
        'delivery.unclosed, in your name. What turns up later is chained all the same. Without --yes it only says how ' +
        'many they are.',
    )
    .argument('[producers...]')
    .requiredOption('--reason <text>', 'why they will say nothing more; it stands in the records')
    .option(
      '--older-than <age>',
      'only those last heard of longer ago; an hour where producers are named',
      age,
    )
    .option('--yes', 'do it');
  run<SettleOptions>(settle, async (context, { reason, olderThan, yes }, producers) => {
    if (producers.length === 0 && olderThan === undefined) {
      throw new CliError('USAGE', 'say which producers: their ids, or --older-than');
    }
    const { terminal, settings } = context;
    await using backend = await context.openBackend();
    const outcome = await backend.settleProducers({
      tenant: settings.tenant,
      producerIds: producers.length === 0 ? undefined : producers,
      silentSeconds: olderThan === undefined ? undefined : Math.max(1, Math.round(olderThan / 1000)),
      reason,
      dryRun: yes !== true,
    });
    if (terminal.json) await terminal.jsonLine(outcome);
    else {
      const { settled, accounts, numbers } = outcome;
      const what = `${accounts} accounts with ${numbers} open numbers`;
      terminal.note(settled ? `settled ${what}` : `${what} would be settled; --yes does it`);
    }
    return undefined;
  });
};

function openOf({ open }: ProducerAccount): string {
  const shown = open.slice(0, shownRanges).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  return [...shown, ...(open.length > shownRanges ? [`and ${open.length - shownRanges} more`] : [])].join(
    ', ',
  );
}
