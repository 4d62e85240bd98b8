import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { addExamples } from '../options/examples.ts';
import { addFilterOptions, searchHelp } from '../options/filter-options.ts';
import { addListOptions, type ListOptions, listEvents } from './list-events.ts';
import { listTopEvents, mostTopEvents } from './top-events.ts';

/** `tally events`: events that match filters. With `--json`, one flat record per line. */
export const registerEvents: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('events')
      .summary('list events, newest first')
      .description(
        "Lists a tenant's events, newest first. An event must match every filter that is given. Records of the service's bookkeeping " +
          '(audit.read, audit.accounts_changed) are left out without --reads, unless --type names them.',
      ),
  )
    .option('--q <search>', searchHelp)
    .option(
      '--top <field>',
      `list the events with the greatest values: timestamp, or the path of a number such as context.llm_cost_usd; up to ${mostTopEvents}`,
    );
  addListOptions(command);
  addExamples(
    command,
    'tally events --tenant acme',
    "tally events --tenant acme --actor jane --type 'content.*' --from 2026-03-01T00:00:00Z --all --json",
    'tally events --tenant acme --actor user:maria --actor agent:bot --source-ip 10.0.0.0/8 --from 7d',
    'tally events --tenant acme --actor user:maria --from 7d --verify',
    "tally events --tenant acme --metadata platform=web --not outcome=success --not 'type=auth.*'",
    'tally events --tenant acme --top context.llm_cost_usd --from 7d -n 10',
  );
  run<ListOptions & { readonly q?: string; readonly top?: string }>(
    command,
    async (context, options) => {
      if (options.top === undefined) return await listEvents(context, options, options.q);
      if (options.verify === true || context.logKeys.length > 0)
        throw new CliError('USAGE', '--top is not verified: leave out --verify and the verifier key');
      await listTopEvents(context, options.top, options);
      return undefined;
    },
    { takesLogKeys: true },
  );
};
