import { type Approval, type ApprovalState, approvalStates } from '@tallystick/protocol';
import { Option } from 'commander';
import type { Context, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { printRows } from '../../terminal/listed-rows.ts';
import { printable } from '../../terminal/printable.ts';
import { renderFields } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';
import { wholeNumber } from '../options/option-values.ts';
import { followEvents } from '../read/follow-events.ts';

interface ListOptions {
  readonly state: ApprovalState | 'all';
  readonly limit?: number;
}

interface DecisionOptions {
  readonly digest?: string;
  readonly comment?: string;
  readonly breakGlass?: boolean;
}

/** Digits of a digest that an approver copies: 128 bits. With fewer, who writes both documents could make two that begin alike. */
const shownDigits = 32;

const columns = [
  { title: 'ID', value: ({ id }: Approval) => id },
  { title: 'STATE', value: ({ state }: Approval) => state },
  { title: 'TENANT', value: ({ document }: Approval) => document.tenant_id, flexible: true },
  { title: 'ACTION', value: ({ document }: Approval) => document.action, flexible: true },
  { title: 'ACTOR', value: ({ document }: Approval) => document.actor.actor_id, flexible: true },
  { title: 'TARGET', value: ({ document }: Approval) => targetOf(document), flexible: true },
  { title: 'GRANTED', value: granted },
  {
    title: 'UNTIL',
    value: ({ claim_before, decide_before }: Approval) => shortTime(claim_before ?? decide_before),
  },
];

/** `tally approvals`: what agents ask for, and the decisions of people. */
export const registerApprovals: Register = (program, run) => {
  const command = program
    .command('approvals')
    .summary('list, read and decide approvals of actions of agents')
    .description('Shows the actions for which agents need an approval, and decides them.');

  const list = command
    .command('list')
    .summary('list approvals, newest first')
    .description('Lists the approvals that wait for a decision, or those in another state.')
    .addOption(
      new Option('--state <state>', 'state of the approvals, or all')
        .choices([...approvalStates, 'all'])
        .default('pending'),
    )
    .option('-n, --limit <count>', 'list at most this many approvals (default: all)', wholeNumber);
  addExamples(list, 'tally approvals list --tenant acme', 'tally approvals list --state all --json');
  run<ListOptions>(list, async (context, { state, limit }) => {
    const { terminal, settings } = context;
    await using backend = await context.openBackend();
    const query = { tenant_id: settings.tenant, state: state === 'all' ? undefined : state };
    const none = state === 'all' ? 'no approvals' : `no approvals are ${state}`;
    await printRows(terminal, backend.client.approvals.listAll(query), { columns, limit, none });
    return undefined;
  });

  const show = command
    .command('show')
    .summary('show what an approval is about')
    .description('Shows the document of an approval: exactly what a decision is about.')
    .argument('<id>', 'id of the approval');
  addExamples(show, 'tally approvals show 019ca97b-f880-7000-8000-000000000002 --tenant acme');
  run(show, async (context, _, [id]) => {
    await using backend = await context.openBackend();
    const approval = await backend.client.approvals.get(id!, { tenant_id: context.settings.tenant });
    if (context.terminal.json) await context.terminal.jsonLine(approval);
    else await print(context, approval);
    return undefined;
  });

  const grant = command
    .command('grant')
    .summary('grant an approval')
    .description(
      'Grants an approval. The digest says which document you have read: tally approvals show prints it. The API key needs the scope ' +
        'approvals:decide, and must be bound to you as its subject.',
    )
    .argument('<id>', 'id of the approval')
    .requiredOption('--digest <digest>', `digest of the document, or its first ${shownDigits} digits`)
    .option('--comment <text>', 'why; becomes part of the record')
    .option('--break-glass', 'permit the action alone, where the rules allow it; needs --comment');
  addExamples(
    grant,
    'tally approvals grant 019ca97b-f880-7000-8000-000000000002 --digest 3fa9c1d2e4b5f60718293a4b5c6d7e8f --tenant acme',
  );
  run<DecisionOptions>(grant, (context, options, [id]) => decide(context, id!, 'grant', options));

  const deny = command
    .command('deny')
    .summary('deny an approval')
    .description('Denies an approval. The action will not run.')
    .argument('<id>', 'id of the approval')
    .option('--comment <text>', 'why; becomes part of the record');
  addExamples(
    deny,
    "tally approvals deny 019ca97b-f880-7000-8000-000000000002 --comment 'wrong order' --tenant acme",
  );
  run<DecisionOptions>(deny, (context, options, [id]) => decide(context, id!, 'deny', options));

  const watch = command
    .command('watch')
    .summary('follow requests and decisions as they happen')
    .description(
      "Follows what the service records about a tenant's approvals, until you press Ctrl-C. Events of the same types that a client " +
        'has written are not shown.',
    )
    .option('-n, --count <count>', 'end after this many records', wholeNumber);
  addExamples(watch, 'tally approvals watch --tenant acme');
  run<{ readonly count?: number }>(watch, async (context, { count }) => {
    await using backend = await context.openBackend();
    const query = { tenant_id: context.requireTenant(), filters: { event_type: 'approval.*' } };
    await followEvents(context, backend.client, query, {
      what: `approvals of ${query.tenant_id}`,
      count,
      // A client can submit an event of this type too. It is no word of the desk.
      isShown: ({ ingest }) => (ingest as { readonly trust?: string } | undefined)?.trust === 'service',
    });
    return undefined;
  });
};

async function decide(
  context: Context,
  id: string,
  verdict: 'grant' | 'deny',
  { digest, comment, breakGlass }: DecisionOptions,
): Promise<undefined> {
  const { terminal, settings } = context;
  await using backend = await context.openBackend();
  const { approvals } = backend.client;
  const found = await approvals.get(id, { tenant_id: settings.tenant });
  if (digest !== undefined && !isDigestOf(found, digest))
    throw new CliError('USAGE', 'the digest is not that of the document: read it with tally approvals show');
  const decided = await approvals.decide(id, {
    tenant_id: found.document.tenant_id,
    verdict,
    document_digest: found.document_digest,
    comment,
    ...(breakGlass === true && { break_glass: true }),
  });
  if (terminal.json) await terminal.jsonLine(decided);
  else {
    const missing = decided.rules.approvals - decided.decisions.length;
    const wait = decided.state === 'pending' ? `; ${missing} more must grant it` : '';
    terminal.note(`the approval is ${decided.state}${wait}`);
  }
  return undefined;
}

function isDigestOf({ document_digest }: Approval, given: string): boolean {
  const digits = given.replace(/^sha256:/, '');
  return (
    digits.length >= shownDigits &&
    /^[0-9a-f]+$/.test(digits) &&
    document_digest.startsWith(`sha256:${digits}`)
  );
}

async function print({ terminal }: Context, approval: Approval): Promise<void> {
  const { document, rules, decisions } = approval;
  const { actor, on_behalf_of = [], policy } = document;
  const fields: (readonly [string, string | undefined])[] = [
    ['state', approval.state],
    ['tenant', document.tenant_id],
    ['action', document.action],
    ['actor', `${actor.actor_type}:${actor.actor_id}`],
    [
      'on behalf of',
      on_behalf_of.map(({ actor_type, actor_id }) => `${actor_type}:${actor_id}`).join(', ') || undefined,
    ],
    ['target', targetOf(document) || undefined],
    ['reason (unverified)', document.reason_unverified],
    ['policy', `${policy.name} ${policy.version}`],
    ['requested by', approval.requester],
    ['requested at', approval.created_at],
    ['approvals', granted(approval)],
    ['approvers', rules.approvers?.join(', ') ?? '(anyone who may decide)'],
    ['decide before', approval.decide_before],
    ['use before', approval.claim_before],
    ['digest', approval.document_digest],
  ];
  await terminal.write(renderFields(terminal, fields));
  await terminal.line();
  await terminal.line(terminal.style('bold', 'arguments'));
  for (const line of JSON.stringify(document.arguments, null, 2).split('\n'))
    await terminal.line(printable(line));
  const hidden = Object.keys(document.hidden ?? {});
  if (hidden.length > 0) await terminal.line(printable(`not visible: ${hidden.join(', ')}`));
  for (const { subject, verdict, comment, decided_at, break_glass } of decisions) {
    const how = break_glass === true ? `${verdict} by break-glass` : verdict;
    const why = comment === undefined ? '' : `: ${comment}`;
    await terminal.line(printable(`${decided_at} ${subject}: ${how}${why}`));
  }
  if (approval.state === 'pending') {
    const digits = approval.document_digest.slice('sha256:'.length, 'sha256:'.length + shownDigits);
    terminal.note(`to grant it: tally approvals grant ${approval.id} --digest ${digits}`);
  }
}

function targetOf({ target }: Approval['document']): string {
  return target === undefined ? '' : `${target.type}:${target.id}`;
}

function granted({ decisions, rules }: Approval): string {
  return `${decisions.filter(({ verdict }) => verdict === 'grant').length} of ${rules.approvals}`;
}
