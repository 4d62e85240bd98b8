import type { BlockedSubject } from '@tallystick/protocol';
import type { Register } from '../../context.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { renderTable } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';

const columns = [
  { title: 'SUBJECT', value: ({ subject }: BlockedSubject) => subject, flexible: true },
  { title: 'BLOCKED', value: ({ blocked_at }: BlockedSubject) => shortTime(blocked_at) },
  { title: 'BY', value: ({ blocked_by }: BlockedSubject) => blocked_by, flexible: true },
  { title: 'REASON', value: ({ reason }: BlockedSubject) => reason ?? '', flexible: true },
];

/** `tally subjects`: persons and agents whose logins and keys the service refuses. */
export const registerSubjects: Register = (program, run) => {
  const subjects = program
    .command('subjects')
    .summary('block persons and agents, whatever credentials they have')
    .description(
      'Blocks subjects: the service then refuses their logins, and the API keys that are bound to them.',
    );

  const list = subjects
    .command('list')
    .summary('list blocked subjects')
    .description('Lists the subjects that are blocked.');
  addExamples(list, 'tally subjects list');
  run(list, async (context) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const blocked = await backend.client.subjects.list();
    if (terminal.json) for (const subject of blocked) await terminal.jsonLine(subject);
    else if (blocked.length === 0) terminal.note('no blocked subjects');
    else await terminal.write(renderTable(terminal, columns, [...blocked]));
    return undefined;
  });

  const block = subjects
    .command('block')
    .summary('block a subject')
    .description(
      'Blocks a subject within a second, also while a token of its login is valid. Its streams end. The block is recorded.',
    )
    .argument(
      '<subject>',
      'the subject as records name it; of a login: the issuer, # and the sub of the token',
    )
    .option('--reason <text>', 'why, for the record');
  addExamples(
    block,
    "tally subjects block 'https://id.example.com#248289761001' --reason 'left the company'",
  );
  run<{ readonly reason?: string }>(block, async (context, { reason }, [subject]) => {
    await using backend = await context.openBackend();
    await backend.client.subjects.block({ subject: subject!, ...(reason !== undefined && { reason }) });
    context.terminal.note(`blocked ${subject}`);
    return undefined;
  });

  const unblock = subjects
    .command('unblock')
    .summary('end the block of a subject')
    .description('Ends the block of a subject. The end is recorded.')
    .argument('<subject>', 'the subject, from tally subjects list');
  addExamples(unblock, "tally subjects unblock 'https://id.example.com#248289761001'");
  run(unblock, async (context, _, [subject]) => {
    await using backend = await context.openBackend();
    await backend.client.subjects.unblock(subject!);
    context.terminal.note(`${subject} is not blocked any more`);
    return undefined;
  });
};
