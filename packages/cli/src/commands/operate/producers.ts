import type { ProducerAccount } from '@tallystick/protocol';
import { Option } from 'commander';
import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { printRows } from '../../terminal/listed-rows.ts';
import { addExamples } from '../options/examples.ts';
import { age, wholeNumber } from '../options/option-values.ts';

interface ProducersOptions {
  readonly all?: boolean;
  /** Milliseconds. */
  readonly silent: number;
  readonly limit?: number;
}

interface SettleOptions {
  readonly reason: string;
  /** Milliseconds. */
  readonly olderThan?: number;
  readonly yes?: boolean;
}

/** Most ranges of open numbers in a line of the table. */
const shownRanges = 3;

const columns = [
  { title: 'TENANT', value: ({ tenant_id }: ProducerAccount) => tenant_id },
  { title: 'SERVICE', value: ({ service }: ProducerAccount) => service ?? '' },
  { title: 'PRODUCER', value: ({ producer_id }: ProducerAccount) => producer_id },
  { title: 'STATE', value: stateOf },
  { title: 'NUMBERS', value: ({ numbers }: ProducerAccount) => numbers, align: 'right' as const },
  { title: 'OPEN', value: openRanges },
  { title: 'LAST', value: ({ last_seen_at }: ProducerAccount) => shortTime(last_seen_at) },
  { title: 'SUBMITTER', value: ({ submitter }: ProducerAccount) => submitter, flexible: true },
];

/** `tally producers`: producers whose events are missing, and the end of those that will never send them. */
export const registerProducers: Register = (program, run) => {
  const command = program
    .command('producers')
    .summary('find producers whose events are missing, and close abandoned ones')
    .description(
      'Lists producers whose events may be missing. Producers number their events. An account is open if some numbers have no ' +
        'known outcome, and unclosed if the producer fell silent without declaring its last number: no gap is seen, but it may ' +
        'have held events in memory when it ended. Ephemeral producers, which may end without notice, are listed with --all.',
    )
    .option('--all', 'also list closed and running producers')
    .addOption(
      new Option('--silent <age>', 'a producer that is silent for longer counts as ended')
        .argParser(age)
        .default(3_600_000, '1h'),
    )
    .option('-n, --limit <count>', 'list at most this many producers (default: all)', wholeNumber);
  addExamples(command, 'tally producers --tenant acme', 'tally producers --all --silent 10m');
  run<ProducersOptions>(command, async (context, { all, silent, limit }) => {
    await using backend = await context.openBackend();
    const query = {
      tenant_id: context.settings.tenant,
      all: all === true ? true : undefined,
      silent_seconds: inSeconds(silent),
    };
    const none = all === true ? 'no producers' : 'no events are missing from any producer';
    await printRows(context.terminal, backend.client.producers.listAll(query), { columns, limit, none });
    return undefined;
  });

  const settle = command
    .command('settle')
    .summary('close the accounts of abandoned producers')
    .description(
      'Closes the accounts of producers that will never send their missing events: of those with the given ids, or of all ' +
        'that are silent for longer than --older-than. Their open numbers are declared lost: each range becomes a delivery.gap ' +
        "record in its tenant's chain, and a producer that did not declare its last number gets a delivery.unclosed record, " +
        'both in your name. Events that arrive later are still chained. Without --yes it only counts the accounts.',
    )
    .argument('[producers...]', 'ids of producers')
    .requiredOption('--reason <text>', 'why they will send nothing more; becomes part of the records')
    .option(
      '--older-than <age>',
      'only producers that are silent for longer, such as 30d, 12h or 5m (default with ids: 1h)',
      age,
    )
    .option('--yes', 'close them; without it they are only counted');
  addExamples(settle, "tally producers settle --older-than 7d --reason 'hosts were replaced' --yes");
  run<SettleOptions>(settle, async (context, { reason, olderThan, yes }, producers) => {
    if (producers.length === 0 && olderThan === undefined) {
      throw new CliError('USAGE', 'say which producers: give their ids or --older-than');
    }
    const { terminal, settings } = context;
    await using backend = await context.openBackend();
    const settled = await backend.client.producers.settle({
      tenant_id: settings.tenant,
      producer_ids: producers.length === 0 ? undefined : producers,
      silent_seconds: olderThan === undefined ? undefined : inSeconds(olderThan),
      reason,
      dry_run: yes !== true,
    });
    if (terminal.json) await terminal.jsonLine(settled);
    else {
      const { accounts, numbers } = settled;
      const what = `${accounts} accounts with ${numbers} open numbers`;
      terminal.note(settled.settled ? `closed ${what}` : `${what} would be closed; add --yes to close them`);
    }
    return undefined;
  });
};

/** The service counts silence in whole seconds, one at least. */
function inSeconds(ms: number): number {
  return Math.max(1, Math.round(ms / 1_000));
}

/** What is known of the end is said in words: an unclosed producer must not be read as a complete one. */
function stateOf({ state, ephemeral }: ProducerAccount): string {
  if (state !== 'unclosed') return state;
  return ephemeral ? 'ephemeral: no gap seen, end unknown' : 'unclosed: no gap seen, end unknown';
}

function openRanges({ open }: ProducerAccount): string {
  const shown = open.slice(0, shownRanges).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`));
  return [...shown, ...(open.length > shownRanges ? [`and ${open.length - shownRanges} more`] : [])].join(
    ', ',
  );
}
