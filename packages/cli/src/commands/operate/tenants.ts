import type { TenantInfo } from '@tallystick/protocol';
import type { Register } from '../../context.ts';
import { shortTime } from '../../terminal/event-columns.ts';
import { printRows } from '../../terminal/listed-rows.ts';
import { addExamples } from '../options/examples.ts';
import { wholeNumber } from '../options/option-values.ts';

const columns = [
  { title: 'TENANT', value: ({ tenant_id }: TenantInfo) => tenant_id },
  { title: 'RECORDS', value: ({ size }: TenantInfo) => size, align: 'right' as const },
  { title: 'SIGNED', value: ({ signed_size }: TenantInfo) => signed_size ?? 0, align: 'right' as const },
  { title: 'EPOCH', value: ({ epoch }: TenantInfo) => epoch, align: 'right' as const },
  { title: 'LAST', value: ({ last_ingested_at }: TenantInfo) => shortTime(last_ingested_at) },
  { title: 'HEAD', value: ({ head_hash }: TenantInfo) => head_hash, flexible: true },
];

/** `tally tenants`: which tenants have a chain, and how long it is. */
export const registerTenants: Register = (program, run) => {
  const command = program
    .command('tenants')
    .summary('list the tenants and their chains')
    .description(
      'Lists the tenants that the API key may read: number of records, how many of them a checkpoint covers, and the hash of ' +
        'the newest record.',
    )
    .option('-n, --limit <count>', 'list at most this many tenants (default: all)', wholeNumber);
  addExamples(command, 'tally tenants');
  run<{ readonly limit?: number }>(command, async (context, { limit }) => {
    await using backend = await context.openBackend();
    await printRows(context.terminal, backend.client.tenants.listAll(), {
      columns,
      limit,
      none: 'no tenants',
    });
    return undefined;
  });
};
