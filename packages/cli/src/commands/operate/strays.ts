import type { AuditService, TenantStray } from '@tallystick/server';
import type { Context, GlobalOptions, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { requireStore } from '../../service/existing-store.ts';
import { type ProductionOptions, productionOptions } from '../../service/options.ts';
import { renderTable } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';

interface StraysOptions extends ProductionOptions {
  readonly ownerUrl?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

function placeOf(stray: TenantStray): string | number {
  if (stray.kind === 'record') return stray.sequence_number;
  return stray.kind === 'tile' ? `${stray.level}/${stray.index}` : `to ${stray.last_sequence}`;
}

const columns = [
  { title: 'TENANT', value: ({ tenantId }: TenantStray) => tenantId },
  { title: 'ROW', value: ({ kind }: TenantStray) => kind },
  { title: 'EPOCH', value: ({ epoch }: TenantStray) => epoch, align: 'right' as const },
  { title: 'PLACE', value: placeOf, align: 'right' as const },
  {
    title: 'AUDIT ID',
    value: (stray: TenantStray) => (stray.kind === 'record' ? stray.audit_id : undefined),
    flexible: true,
  },
  {
    title: 'NOTE',
    value: ({ isSigned }: TenantStray) => (isSigned ? 'a checkpoint covers this place' : undefined),
    flexible: true,
  },
];

/** `tally strays`: rows that were planted outside of the chains. Without `--yes` it changes nothing. */
export const registerStrays: Register = (program, run) => {
  const command = program
    .command('strays')
    .summary('list and remove rows that do not belong to a chain')
    .description(
      'Lists the rows of the store that lie outside of the chains: beyond the head, before the first record, or in an epoch that ' +
        'the chain never had, and such epochs in the list of closed ones. Somebody planted them with access to the database. With --yes and --reason it removes them, keeps ' +
        'their bytes in audit_removed_strays, and records their hashes in the chain. A row at a place that a checkpoint covers ' +
        'is not removed: see tally recover. Name the store, the signer and the log as for tally serve.',
    )
    .option(
      '--database-url <url>',
      "address of the PostgreSQL database, with the service's login; or TALLYSTICK_DATABASE_URL",
    )
    .option(
      '--owner-url <url>',
      'address of the same database with the login of its owner, to remove rows; or TALLYSTICK_OWNER_URL',
    )
    .option('--signer-dir <dir>', 'directory of the signer; or TALLYSTICK_SIGNER_DIR')
    .option('--log-name <name>', 'name of the log; or TALLYSTICK_LOG_NAME (a directory knows its own)')
    .option('--reason <text>', 'what happened; becomes a permanent part of the chains')
    .option('--yes', 'remove the rows; without it they are only listed');
  addExamples(
    command,
    'tally strays --data trail',
    "tally strays --data trail --yes --reason 'planted with a stolen login, incident 4711'",
  );
  run<StraysOptions>(command, async (context, options) => {
    if (options.yes === true && options.reason === undefined) {
      const hint = "for example: --reason 'planted with a stolen login, incident 4711'";
      throw new CliError('USAGE', '--yes needs --reason', { hint });
    }
    const tenant = options.tenant ?? context.processContext.env.TALLYSTICK_TENANT;
    const tenantIds = tenant === undefined ? undefined : [tenant];
    const service = await openStore(context, options);
    try {
      if (options.yes === true) await remove(context, service, tenantIds, options);
      else await list(context, service, tenantIds);
      return undefined;
    } finally {
      await service.close();
    }
  });
};

async function openStore(context: Context, options: StraysOptions & GlobalOptions): Promise<AuditService> {
  const { openService } = await import('../../service/open.ts');
  const production = productionOptions(context.processContext, options);
  if ('directory' in production.store) requireStore(production.store.directory);
  return await openService({ ...production, checkpointIntervalMs: 0, followers: false }, 'the store');
}

async function list(
  { terminal }: Context,
  service: AuditService,
  tenantIds: readonly string[] | undefined,
): Promise<void> {
  const { listStrays } = await import('@tallystick/server');
  const strays = await listStrays(service, tenantIds);
  if (terminal.json) for (const stray of strays) await terminal.jsonLine(toJson(stray));
  else if (strays.length > 0) await terminal.write(renderTable(terminal, columns, strays));
  if (strays.length === 0) terminal.note('every row belongs to a chain: there is nothing to remove');
  else terminal.note('nothing was changed; add --yes --reason TEXT to remove these rows');
}

async function remove(
  { terminal, processContext }: Context,
  service: AuditService,
  tenantIds: readonly string[] | undefined,
  { ownerUrl = processContext.env.TALLYSTICK_OWNER_URL, reason }: StraysOptions,
): Promise<void> {
  const { listStrays, removeStrays } = await import('@tallystick/server');
  const { ownerAccess } = await import('@tallystick/server/store');
  const request = { tenantIds, reason: reason!, by: 'operator', now: processContext.now() };
  const removing = async () =>
    await removeStrays(service, ownerAccess(service.database, ownerUrl || undefined), request);
  const { removed, recorded } = await removing().catch(describe);
  const left = await listStrays(service, tenantIds);
  if (terminal.json) await terminal.jsonLine({ removed, recorded, left: left.length });
  else await terminal.line(`removed ${removed} rows; their hashes are recorded in the chains (${recorded})`);
  if (left.length > 0) {
    terminal.warn(`${left.length} rows are left: a checkpoint covers their places, see tally recover`);
  }
}

async function describe(error: unknown): Promise<never> {
  const { code, message } = error as { code?: unknown; message: string };
  if (code === 'CONFIG_INVALID') {
    const hint = "--owner-url URL, or TALLYSTICK_OWNER_URL; the service's login can't remove rows";
    throw new CliError('USAGE', message, { cause: error, hint });
  }
  if (code === 'PARAMETER_INVALID') throw new CliError('USAGE', message, { cause: error });
  // SQLSTATE of a missing right.
  if (code === '42501') {
    const hint = 'give --owner-url the login that owns the tables';
    throw new CliError('STORE_UNSUITABLE', `the rows were not removed: ${message}`, { cause: error, hint });
  }
  const { describeStoreError } = await import('../../service/open.ts');
  throw describeStoreError(error, 'the store as its owner');
}

function toJson({ tenantId, isSigned, ...stray }: TenantStray): object {
  return { tenant_id: tenantId, ...stray, signed: isSigned };
}
