import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AuditServiceOptions } from '@tallystick/server';
import { CliError } from '../errors.ts';
import type { ProcessContext } from '../process-context.ts';
import { readRedactionSetting } from './redaction-setting.ts';

type Env = ProcessContext['env'];

/** Options for an embedded store with nothing to set up, for `--data DIR` and `tally dev`. */
export function embeddedStoreOptions(
  { env, cwd, now }: Pick<ProcessContext, 'env' | 'cwd' | 'now'>,
  directory: string,
): AuditServiceOptions {
  return {
    store: { directory },
    logName: env.TALLYSTICK_LOG_NAME || undefined,
    serviceTenant: serviceTenantIn(env),
    redaction: readRedactionSetting(env.TALLYSTICK_REDACTION, cwd),
    now,
  };
}

/** The options of `tally serve` and `tally recover` that name the store, the signer and the log. */
export interface ProductionOptions {
  readonly data?: string | undefined;
  readonly databaseUrl?: string | undefined;
  readonly signerDir?: string | undefined;
  readonly logName?: string | undefined;
  readonly serviceTenant?: string | undefined;
  readonly redaction?: string | undefined;
}

/**
 * Options for a service in production: nothing that matters has a default. An existing embedded store knows its log's name.
 *
 * @throws {CliError} `USAGE` if neither the command line nor the environment names something that is needed
 */
export function productionOptions(
  { env, cwd, now }: Pick<ProcessContext, 'env' | 'cwd' | 'now'>,
  options: ProductionOptions,
): AuditServiceOptions {
  const databaseUrl = options.databaseUrl ?? env.TALLYSTICK_DATABASE_URL;
  const data = options.data ?? env.TALLYSTICK_DATA;
  const logName = options.logName ?? env.TALLYSTICK_LOG_NAME;
  const signerDirectory = options.signerDir ?? env.TALLYSTICK_SIGNER_DIR;
  const signer = signerDirectory === undefined ? undefined : resolve(cwd, signerDirectory);
  if ((databaseUrl === undefined) === (data === undefined)) {
    throw new CliError('USAGE', 'name exactly one store: --database-url URL or --data DIR');
  }
  if (logName === undefined && !isNamed(data === undefined ? undefined : resolve(cwd, data), signer)) {
    const hint = 'for example audit.example.com; it is part of every checkpoint and can never change';
    throw new CliError('USAGE', '--log-name is needed', { hint });
  }
  if (databaseUrl !== undefined && signer === undefined) {
    const hint =
      'a directory for the signing key and the last signed checkpoints; never restore it with the database';
    throw new CliError('USAGE', '--signer-dir is needed', { hint });
  }
  return {
    store: databaseUrl === undefined ? { directory: resolve(cwd, data!) } : { databaseUrl },
    ...(signer !== undefined && { signerDirectory: signer }),
    logName,
    serviceTenant: options.serviceTenant ?? serviceTenantIn(env),
    redaction: readRedactionSetting(options.redaction ?? env.TALLYSTICK_REDACTION, cwd),
    now,
  };
}

/** Whether an embedded store has a signer already, which knows the name of the log. A new one would get a random name. */
function isNamed(directory: string | undefined, signerDirectory: string | undefined): boolean {
  if (directory === undefined) return false;
  return existsSync(join(signerDirectory ?? join(directory, 'signer'), 'signer.sqlite'));
}

/**
 * The tenant whose chain holds the service's own records. Every command that opens a store reads it, so that a purge by
 * `tally dlq --data` is recorded in the same chain as one by the service.
 */
function serviceTenantIn(env: Env): string | undefined {
  return env.TALLYSTICK_SERVICE_TENANT || undefined;
}
