import type { ConnectionFault } from '@tallystick/server/store';
import type { Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { addExamples } from '../options/examples.ts';

interface MigrateOptions {
  readonly databaseUrl?: string;
  readonly serviceLogin?: string;
}

/** `tally migrate`: the only task that needs the rights of the database's owner, which the service must not have. */
export const registerMigrate: Register = (program, run) => {
  const command = program
    .command('migrate')
    .summary('create or update the database schema')
    .description(
      "Creates or updates the schema of a PostgreSQL database. It connects as the owner of the database, and gives the service's " +
        'login the rights that it needs. It is safe to repeat. An embedded store does not need it: it is updated when it is ' +
        'opened.',
    )
    .option(
      '--database-url <url>',
      'address of the database, with the login of its owner; better in TALLYSTICK_DATABASE_URL, which other users can not see',
    )
    .option('--service-login <name>', 'existing login role of the service; it gets the rights that it needs');
  addExamples(
    command,
    'TALLYSTICK_DATABASE_URL=postgres://owner:…@db/audit tally migrate --service-login tally_service',
  );
  run<MigrateOptions>(command, async ({ terminal, processContext: { env } }, options) => {
    const url = parseDatabaseUrl(options.databaseUrl ?? env.TALLYSTICK_DATABASE_URL);
    const { connectionFault, migratePostgres } = await import('@tallystick/server/store');
    const applied = await migratePostgres(url.href, options.serviceLogin).catch((error: unknown) => {
      throw describeMigrationError(error, url, connectionFault(error, url.href));
    });
    if (terminal.json) {
      await terminal.jsonLine({ applied, service_login: options.serviceLogin ?? null });
      return undefined;
    }
    for (const name of applied) await terminal.line(`applied ${name}`);
    if (applied.length === 0) await terminal.line('the schema is up to date');
    if (options.serviceLogin !== undefined)
      await terminal.line(`${options.serviceLogin} has the rights of the service`);
    return undefined;
  });
};

function parseDatabaseUrl(text: string | undefined): URL {
  if (text === undefined || text === '') {
    throw new CliError('USAGE', 'name the database with --database-url URL or TALLYSTICK_DATABASE_URL');
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // The message must not repeat the address: it contains a password.
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol))
    throw new CliError('USAGE', 'the address of the database must begin with postgres://');
  return url;
}

/** What the operator must do, by SQLSTATE. */
const hints: { readonly [sqlState: string]: string } = {
  '42704': 'create the role first: create role NAME login password …',
  '42501':
    'connect as the owner of the database; --service-login NAME also needs: grant NAME to OWNER with admin option',
};

function describeMigrationError(error: unknown, url: URL, fault: ConnectionFault | undefined): CliError {
  const { code, message, name } = error as { code?: string; message: string; name?: string };
  const place = `${url.host}${url.pathname}`;
  if (name === 'ServerError' && (code === 'STORE_UNSUITABLE' || code === 'SCHEMA_VERSION')) {
    return new CliError('STORE_UNSUITABLE', `${place} can't be used as a store: ${message}`, {
      cause: error,
    });
  }
  // While it migrates, 42501 says that the login has too few rights, and not that it may not connect.
  if (fault !== undefined && code !== '42501') {
    return new CliError('STORE_UNAVAILABLE', `can't migrate ${place}: ${fault.message}`, {
      cause: error,
      hint: fault.hint,
    });
  }
  const hint = code === undefined ? undefined : hints[code];
  // If a host has several addresses, the error holds one error per address and has no message.
  const reason = message === '' ? (code ?? 'no answer') : message;
  return new CliError('STORE_UNAVAILABLE', `can't migrate ${place}: ${reason}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
  });
}
