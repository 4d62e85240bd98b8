import type { Register } from '../../context.ts';
import { addExamples } from '../options/examples.ts';
import { addFilterOptions } from '../options/filter-options.ts';
import { addListOptions, type ListOptions, listEvents } from './list-events.ts';

/** `tally search QUERY`: events whose texts match. With `--json`, one flat record per line. */
export const registerSearch: Register = (program, run) => {
  const command = addFilterOptions(
    program
      .command('search')
      .argument('<query>', 'words, "phrases", begin*, field:value, IP addresses and ranges; - leaves out, OR')
      .summary('search the texts of events')
      .description(
        'Searches all texts of a tenant\'s events, newest first. Every part of the query must match: a word, a "quoted phrase", the ' +
          'beginning of a word (invest*), an IP address or a range (10.0.0.0/8), or field:value with the name of a filter ' +
          '(actor:user:maria, metadata.platform:web). A - before a part leaves out the events that match it. OR finds events that match ' +
          'what is before or after it, and parentheses group parts: a (b OR c). Upper and lower case are the same. A query that begins with - comes last, behind --.',
      ),
  );
  addListOptions(command);
  addExamples(
    command,
    "tally search '10.0.0.0/8 -success actor:maria' --tenant acme",
    `tally search '"failed login" maria.lopez@example.com' --tenant acme --from 7d`,
    "tally search 'delet* OR outcome:denied' --tenant acme --from 30d",
    "tally search 'invest* severity:critical' --tenant acme --all --json",
  );
  run<ListOptions>(
    command,
    async (context, options, [query]) => {
      return await listEvents(context, options, query);
    },
    { takesLogKeys: true },
  );
};
