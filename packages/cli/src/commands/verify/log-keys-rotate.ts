import { formatVerifierKey } from '@tallystick/log';
import type { AuditService } from '@tallystick/server';
import type { Command } from 'commander';
import type { Context, GlobalOptions, RunAction } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { requireStore } from '../../service/existing-store.ts';
import { type ProductionOptions, productionOptions } from '../../service/options.ts';
import { addExamples } from '../options/examples.ts';

interface RotateOptions extends ProductionOptions {
  readonly reason?: string;
  readonly yes?: boolean;
}

/** `tally log-keys rotate`: replaces the key that signs the logs. Without `--yes` it changes nothing. */
export function registerRotate(logKeys: Command, run: RunAction): void {
  const command = logKeys
    .command('rotate')
    .summary('as the operator, replace the key that signs the logs')
    .description(
      'Replaces the key that signs the checkpoints of all tenants. The old and the new key sign a statement about it, which names ' +
        'the last checkpoint of each log. Who trusts the old key accepts the new one with a notice. The old key is erased from the ' +
        "signer's directory; what it signed stays valid. Without --yes the command only shows what it would do. Replicas that run " +
        'use the new key for their next checkpoint. Name the store, the signer and the log as for tally serve.',
    )
    .option(
      '--database-url <url>',
      "address of the PostgreSQL database, with the service's login; or TALLYSTICK_DATABASE_URL",
    )
    .option('--signer-dir <dir>', 'directory of the signer; or TALLYSTICK_SIGNER_DIR')
    .option('--log-name <name>', 'name of the log; or TALLYSTICK_LOG_NAME (a directory knows its own)')
    .option('--reason <text>', "why the key is replaced; becomes a permanent part of the service's own trail")
    .option('--yes', 'replace the key');
  addExamples(
    command,
    'tally log-keys rotate --data trail',
    "tally log-keys rotate --data trail --yes --reason 'yearly rotation'",
  );
  run<RotateOptions>(command, async (context, options) => {
    if (options.yes === true && options.reason === undefined) {
      const hint = "for example: --reason 'yearly rotation'";
      throw new CliError('USAGE', '--yes needs --reason', { hint });
    }
    const service = await openStore(context, options);
    try {
      if (options.yes === true) await rotate(context, service, options.reason!);
      else await show(context, service);
      return undefined;
    } finally {
      await service.close();
    }
  });
}

async function openStore(context: Context, options: RotateOptions & GlobalOptions): Promise<AuditService> {
  const { openService } = await import('../../service/open.ts');
  const production = productionOptions(context.processContext, options);
  if ('directory' in production.store) requireStore(production.store.directory);
  return await openService({ ...production, checkpointIntervalMs: 0 }, 'the store');
}

async function show({ terminal }: Context, { signer }: AuditService): Promise<void> {
  const key = formatVerifierKey(signer.currentVerifier());
  if (terminal.json) await terminal.jsonLine({ log_name: signer.logName, key });
  else await terminal.line(key);
  terminal.note('nothing was changed; add --yes --reason TEXT to replace this key');
}

async function rotate(
  { terminal, processContext }: Context,
  service: AuditService,
  reason: string,
): Promise<void> {
  const { rotateLogKey } = await import('@tallystick/server');
  const request = { reason, by: 'operator', now: processContext.now() };
  const rotation = await rotateLogKey(service, request).catch((error: unknown) => {
    const { code, message } = error as { code?: unknown; message: string };
    throw code === 'PARAMETER_INVALID' ? new CliError('USAGE', message, { cause: error }) : error;
  });
  const { logName, rotatedAt, logs, statement } = rotation;
  const [oldKey, newKey] = [formatVerifierKey(rotation.oldKey), formatVerifierKey(rotation.newKey)];
  if (terminal.json) {
    await terminal.jsonLine({
      log_name: logName,
      old_key: oldKey,
      new_key: newKey,
      rotated_at: rotatedAt,
      logs,
      statement,
    });
  } else for (const key of [oldKey, newKey]) await terminal.line(key);
  terminal.note(
    `replaced the first key by the second; the statement names the last checkpoints of ${logs} logs. ` +
      "Back up the signer's directory, and publish the new keys of the tenants",
  );
}
