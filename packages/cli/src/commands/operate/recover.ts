import type { AuditService, Recovery } from '@tallystick/server';
import type { Context, GlobalOptions, Register } from '../../context.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { requireStore } from '../../service/existing-store.ts';
import { type ProductionOptions, productionOptions } from '../../service/options.ts';
import { renderTable } from '../../terminal/table.ts';
import { addExamples } from '../options/examples.ts';

interface RecoverOptions extends ProductionOptions {
  readonly ownerUrl?: string;
  readonly reason?: string;
  readonly yes?: boolean;
}

const columns = [
  { title: 'TENANT', value: ({ tenantId }: Recovery) => tenantId },
  { title: 'SIGNED', value: ({ signed }: Recovery) => signed.size, align: 'right' as const },
  { title: 'STORED', value: ({ stored }: Recovery) => stored, align: 'right' as const },
  { title: 'NEW EPOCH', value: ({ epoch }: Recovery) => epoch, align: 'right' as const },
  { title: 'STOPPED BECAUSE', value: ({ stopped }: Recovery) => stopped, flexible: true },
];

/** `tally recover`: new epochs for chains whose records were partly lost. Without `--yes` it changes nothing. */
export const registerRecover: Register = (program, run) => {
  const command = program
    .command('recover')
    .summary('restart stopped chains after a restore from a backup')
    .description(
      'Lists the chains that are stopped because the store does not contain what was signed: all of them, or that of --tenant. ' +
        'With --yes and --reason it begins a new epoch for each: the stored records stay, and the first record of the new chain ' +
        'says what was signed last and why the chain was restarted. This can not be undone. Name the store, the signer and the ' +
        'log as for tally serve.',
    )
    .option(
      '--database-url <url>',
      "address of the PostgreSQL database, with the service's login; or TALLYSTICK_DATABASE_URL",
    )
    .option(
      '--owner-url <url>',
      'address of the same database with the login of its owner, to set back a head that was moved to the last possible epoch; ' +
        'or TALLYSTICK_OWNER_URL',
    )
    .option('--signer-dir <dir>', 'directory of the signer; or TALLYSTICK_SIGNER_DIR')
    .option('--log-name <name>', 'name of the log; or TALLYSTICK_LOG_NAME (a directory knows its own)')
    .option('--reason <text>', 'why records are missing; becomes a permanent part of the new chains')
    .option('--yes', 'restart the chains; without it they are only listed');
  addExamples(
    command,
    'tally recover --data trail',
    "tally recover --data trail --yes --reason 'disk lost, restored from the backup of 1 March'",
  );
  run<RecoverOptions>(command, async (context, options) => {
    if (options.yes === true && options.reason === undefined) {
      const hint = 'for example: --reason "disk lost, restored from the backup of 1 March"';
      throw new CliError('USAGE', '--yes needs --reason', { hint });
    }
    const { planRecovery } = await import('@tallystick/server');
    const service = await openStore(context, options);
    try {
      const tenant = options.tenant ?? context.processContext.env.TALLYSTICK_TENANT;
      const plans = await planRecovery(service, tenant === undefined ? undefined : [tenant]).catch(asUsage);
      if (plans.length === 0) context.terminal.note('no chain is stopped: there is nothing to recover');
      else if (options.yes === true) return await recoverAll(context, service, plans, options);
      else await show(context, plans);
      return undefined;
    } finally {
      await service.close();
    }
  });
};

async function openStore(context: Context, options: RecoverOptions & GlobalOptions): Promise<AuditService> {
  const { openService } = await import('../../service/open.ts');
  // Only what is recovered may be signed, so the regular checkpoints are switched off.
  const production = productionOptions(context.processContext, options);
  if ('directory' in production.store) requireStore(production.store.directory);
  return await openService({ ...production, checkpointIntervalMs: 0, followers: false }, 'the store');
}

async function show({ terminal }: Context, plans: readonly Recovery[]): Promise<void> {
  if (terminal.json) for (const plan of plans) await terminal.jsonLine(toJson(plan));
  else await terminal.write(renderTable(terminal, columns, plans));
  for (const { tenantId, headToLower } of plans) {
    if (headToLower === undefined) continue;
    terminal.warn(
      `${tenantId}: the head is in epoch ${headToLower}, after which none can follow: a PostgreSQL database needs --owner-url`,
    );
  }
  terminal.note('nothing was changed; add --yes --reason TEXT to restart these chains in a new epoch');
}

/** Each chain is recovered in its own transaction, so that a failure for one chain does not stop the others. */
async function recoverAll(
  { terminal, processContext }: Context,
  service: AuditService,
  plans: readonly Recovery[],
  { reason, ownerUrl = processContext.env.TALLYSTICK_OWNER_URL }: RecoverOptions,
): Promise<number> {
  const { recoverChain } = await import('@tallystick/server');
  const { ownerAccess } = await import('@tallystick/server/store');
  let failed = 0;
  for (const plan of plans) {
    try {
      const asOwner =
        plan.headToLower === undefined ? undefined : ownerAccess(service.database, ownerUrl || undefined);
      const { note } = await recoverChain(service, plan, reason!, asOwner).catch(asUsage);
      if (terminal.json) await terminal.jsonLine({ ...toJson(plan), recovered: true, checkpoint: note });
      else await terminal.line(`${plan.tenantId}: began epoch ${plan.epoch}, ${plan.origin}`);
      const stillStopped = service.logs.stopped.get(plan.tenantId);
      if (stillStopped !== undefined) terminal.warn(`${plan.tenantId} is still stopped: ${stillStopped}`);
    } catch (error) {
      if (error instanceof CliError && error.code === 'USAGE' && plans.length === 1) throw error;
      failed++;
      terminal.warn(`${plan.tenantId}: ${(error as Error).message}`);
    }
  }
  return failed === 0 ? exitCodes.ok : exitCodes.broken;
}

function toJson({ tenantId, stopped, signed, stored, epoch, origin, headToLower }: Recovery): object {
  return {
    tenant_id: tenantId,
    stopped,
    signed: { origin: signed.origin, size: signed.size },
    stored,
    epoch,
    origin,
    ...(headToLower !== undefined && { head_to_lower: headToLower }),
  };
}

/** The command line named a wrong tenant or reason. */
function asUsage(error: unknown): never {
  const { code, message } = error as { code?: unknown; message: string };
  throw code === 'PARAMETER_INVALID' ? new CliError('USAGE', message, { cause: error }) : error;
}
