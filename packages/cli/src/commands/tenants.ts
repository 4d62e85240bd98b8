import type { TenantInfo } from '../backend/backend.ts';
import type { Register } from '../context.ts';
import { renderTable } from '../terminal/table.ts';
import { shortTime } from './event-columns.ts';

const columns = [
  { title: 'TENANT', value: ({ tenant_id }: TenantInfo) => tenant_id },
  { title: 'RECORDS', value: ({ size }: TenantInfo) => size, align: 'right' as const },
  { title: 'SIGNED', value: ({ signed_size }: TenantInfo) => signed_size ?? 0, align: 'right' as const },
  { title: 'EPOCH', value: ({ epoch }: TenantInfo) => epoch, align: 'right' as const },
  { title: 'LAST', value: ({ last_ingested_at }: TenantInfo) => shortTime(last_ingested_at) },
  { title: 'HEAD', value: ({ head_hash }: TenantInfo) => head_hash, flexible: true },
];

/** `tally tenants`: who has a chain, and where it stands. */
export const registerTenants: Register = (program, run) => {
  const command = program.command('tenants').description('list the tenants and their chains');
  run(command, async (context) => {
    await using backend = await context.openBackend();
    const tenants: TenantInfo[] = [];
    for await (const tenant of backend.listTenants()) {
      if (context.terminal.json) await context.terminal.jsonLine(tenant);
      else tenants.push(tenant);
    }
    if (context.terminal.json) return undefined;
    if (tenants.length === 0) context.terminal.note('no tenants');
    else await context.terminal.write(renderTable(context.terminal, columns, tenants));
    return undefined;
  });
};
