import type { AuditService, Recovery } from '@tallystick/server';
import type { Context, GlobalOptions, Register } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { renderTable } from '../terminal/table.ts';
import { serviceOptions } from './serve.ts';

interface RecoverCommandOptions {
  readonly databaseUrl?: string;
  readonly signerDir?: string;
  readonly logName?: string;
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

/** `tally recover`: begins chains anew that the store has lost a part of. Shows what it would do, unless it is told to. */
export const registerRecover: Register = (program, run) => {
  const command = program
    .command('recover')
    .summary('begin stopped chains anew, after a restore')
    .description(
      'Lists the chains that are stopped because the store is not what was signed, all or that of --tenant. With --yes and ' +
        '--reason it opens a new epoch for each: the records that are stored stay, and the new chain says what was signed ' +
        'last and why it was begun. This can not be taken back. Store, signer and log are named as for tally serve.',
    )
    .option('--database-url <url>', 'PostgreSQL, as the service; or TALLYSTICK_DATABASE_URL')
    .option('--signer-dir <dir>', "the signer's directory; or TALLYSTICK_SIGNER_DIR")
    .option('--log-name <name>', 'name of the log; or TALLYSTICK_LOG_NAME')
    .option('--reason <text>', 'stands in the new chains for good')
    .option('--yes', 'do it');
  run<RecoverCommandOptions>(command, async (context, options) => {
    if (options.yes === true && options.reason === undefined) {
      const hint = 'such as: --reason "disk lost, restored from the backup of 1 March"';
      throw new CliError('USAGE', '--yes needs --reason', { hint });
    }
    const { planRecovery } = await import('@tallystick/server');
    const service = await openService(context, options);
    try {
      const tenant = options.tenant ?? context.surroundings.env.TALLYSTICK_TENANT;
      const plans = await planRecovery(service, tenant === undefined ? undefined : [tenant]).catch(asUsage);
      if (plans.length === 0) context.terminal.note('no chain is stopped: there is nothing to recover');
      else if (options.yes === true) return await recoverAll(context, service, plans, options.reason!);
      else await show(context, plans);
      return undefined;
    } finally {
      await service.close();
    }
  });
};

async function openService(
  context: Context,
  options: RecoverCommandOptions & GlobalOptions,
): Promise<AuditService> {
  const { AuditService } = await import('@tallystick/server');
  const { describeStoreError } = await import('../backend/store.ts');
  // Nothing is signed but what is recovered.
  const opening = AuditService.open({ ...serviceOptions(context, options), checkpointIntervalMs: 0 });
  return await opening.catch((error: unknown) => {
    throw describeStoreError(error, 'the store');
  });
}

async function show({ terminal }: Context, plans: readonly Recovery[]): Promise<void> {
  if (terminal.json) for (const plan of plans) await terminal.jsonLine(toJson(plan));
  else await terminal.write(renderTable(terminal, columns, plans));
  terminal.note('nothing was changed; --yes --reason TEXT gives these chains up and begins them anew');
}

/** One chain's trouble keeps no other from being recovered: each is a transaction of its own. */
async function recoverAll(
  { terminal }: Context,
  service: AuditService,
  plans: readonly Recovery[],
  reason: string,
): Promise<number> {
  const { recoverChain } = await import('@tallystick/server');
  let failed = 0;
  for (const plan of plans) {
    try {
      const { note } = await recoverChain(service, plan, reason).catch(asUsage);
      if (terminal.json) await terminal.jsonLine({ ...toJson(plan), recovered: true, checkpoint: note });
      else await terminal.line(`${plan.tenantId}: epoch ${plan.epoch} begun, as ${plan.origin}`);
    } catch (error) {
      if (error instanceof CliError && error.code === 'USAGE' && plans.length === 1) throw error;
      failed++;
      terminal.warn(`${plan.tenantId}: ${(error as Error).message}`);
    }
  }
  return failed === 0 ? exitCodes.ok : exitCodes.broken;
}

function toJson({ tenantId, stopped, signed, stored, epoch, origin }: Recovery): object {
  return {
    tenant_id: tenantId,
    stopped,
    signed: { origin: signed.origin, size: signed.size },
    stored,
    epoch,
    origin,
  };
}

/** A tenant or a reason that the command line named wrongly. */
function asUsage(error: unknown): never {
  const { code, message } = error as { code?: unknown; message: string };
  throw code === 'PARAMETER_INVALID' ? new CliError('USAGE', message, { cause: error }) : error;
}
