import { counted, type FollowerChange, type FollowerInfo } from '@tallystick/protocol';
import type { Context, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { printable } from '../../terminal/printable.ts';
import { renderFields, renderTable } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';

const columns = [
  { title: 'FOLLOWER', value: ({ name }: FollowerInfo) => name },
  { title: 'STATE', value: stateOf },
  { title: 'RECORDS BEHIND', value: ({ lag_records }: FollowerInfo) => lag_records, align: 'right' as const },
  {
    title: 'SECONDS',
    value: ({ lag_seconds }: FollowerInfo) => Math.round(lag_seconds),
    align: 'right' as const,
  },
  {
    title: 'STOPPED TENANTS',
    value: ({ stopped_tenants }: FollowerInfo) => stopped_tenants,
    align: 'right' as const,
  },
];

/**
 * The tenant that this command line names. The one of the environment or the settings is not meant: a reset for one tenant deletes its rows first,
 * and the index lacks them until they are made again.
 */
interface TenantOption {
  readonly tenant?: string;
}

/** `tally followers`: what is derived from the chains, and how far it is. */
export const registerFollowers: Register = (program, run) => {
  const command = program
    .command('followers')
    .summary('see and control what is derived from the chains')
    .description(
      'Shows the followers, which read every chain and keep something derived from it, and controls them.',
    );

  const list = command
    .command('list')
    .summary('list the followers, and how far they are')
    .description(
      'Lists the followers with the records that they have not read, and the tenants for which they have stopped.',
    );
  addExamples(list, 'tally followers list', 'tally followers list --json');
  run(list, async (context) => {
    const { terminal } = context;
    await using backend = await context.openBackend();
    const { followers } = await backend.client.followers.list();
    if (terminal.json) for (const follower of followers) await terminal.jsonLine(follower);
    else await terminal.write(renderTable(terminal, columns, [...followers]));
    return undefined;
  });

  const show = command
    .command('show')
    .summary('show a follower, and where it has stopped')
    .description('Shows a follower, and for which tenants it has stopped and why.')
    .argument('<name>', 'name of the follower');
  addExamples(show, 'tally followers show open-intents');
  run(show, async (context, _, [name]) => {
    await using backend = await context.openBackend();
    const { followers } = await backend.client.followers.list();
    const found = followers.find((follower) => follower.name === name);
    if (found === undefined)
      throw new CliError('USAGE', 'there is no such follower: see tally followers list');
    await print(context, found);
    return undefined;
  });

  const pause = command
    .command('pause')
    .summary('let a follower read nothing more')
    .description('Lets a follower read nothing more until it is resumed. It misses no record.')
    .argument('<name>', 'name of the follower');
  addExamples(pause, 'tally followers pause open-intents');
  run(pause, (context, _, [name]) => change(context, name!, { action: 'pause' }));

  const resume = command
    .command('resume')
    .summary('let a follower go on')
    .description(
      'Lets a paused follower go on; with --tenant on the command line, tries again where it has stopped for this tenant.',
    )
    .argument('<name>', 'name of the follower');
  addExamples(
    resume,
    'tally followers resume open-intents',
    'tally followers resume open-intents --tenant acme',
  );
  run<TenantOption>(resume, (context, { tenant }, [name]) =>
    change(context, name!, { action: 'resume', tenant_id: tenant }),
  );

  const reset = command
    .command('reset')
    .summary('let a follower read the chains again')
    .description(
      'Lets a follower read the chains again from their start. The new rows replace those in use when they are complete: tally followers ' +
        'show says how many records are left. With --tenant on the command line, the rows of this tenant are deleted first.',
    )
    .argument('<name>', 'name of the follower');
  addExamples(
    reset,
    'tally followers reset open-intents',
    'tally followers reset open-intents --tenant acme',
  );
  run<TenantOption>(reset, (context, { tenant }, [name]) =>
    change(context, name!, { action: 'reset', tenant_id: tenant }),
  );
};

async function change(context: Context, name: string, wanted: FollowerChange): Promise<undefined> {
  await using backend = await context.openBackend();
  const follower = await backend.client.followers.change(name, wanted);
  if (context.terminal.json) await context.terminal.jsonLine(follower);
  else context.terminal.note(`the follower ${follower.name} is ${stateOf(follower)}`);
  return undefined;
}

function stateOf({ state, rebuild_records_left: left }: FollowerInfo): string {
  return left === undefined ? state : `${state}: ${counted(left, 'record')} left`;
}

async function print({ terminal }: Context, follower: FollowerInfo): Promise<void> {
  if (terminal.json) {
    await terminal.jsonLine(follower);
    return;
  }
  await terminal.write(
    renderFields(terminal, [
      ['follower', follower.name],
      ['state', stateOf(follower)],
      ['paused by', follower.paused_by ?? undefined],
      ['effect', follower.effect],
      ['records behind', follower.lag_records],
      ['seconds behind', Math.round(follower.lag_seconds)],
      ['stopped tenants', follower.stopped_tenants],
    ]),
  );
  for (const { tenant_id, code, reason, epoch, sequence_number } of follower.stopped)
    await terminal.line(
      printable(`${tenant_id}: ${code} after record ${sequence_number} of epoch ${epoch}: ${reason}`),
    );
}
