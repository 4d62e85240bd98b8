import type { Register } from '../context.ts';
import { CliError } from '../errors.ts';

interface MigrateOptions {
  readonly databaseUrl?: string;
  readonly serviceLogin?: string;
}

/** `tally migrate`: the one job that needs the owner's rights, and so is not the service's. */
export const registerMigrate: Register = (program, run) => {
  const command = program
    .command('migrate')
    .summary('set up the database, or bring it up to date')
    .description(
      "Brings a PostgreSQL database to this version's schema, as its owner, and lets the service's login work in it. Safe to " +
        'repeat. An embedded store needs none: it is brought up to date when it is opened.',
    )
    .option(
      '--database-url <url>',
      'PostgreSQL, as the owner; or TALLYSTICK_DATABASE_URL, which other users of the machine do not see',
    )
    .option('--service-login <name>', 'existing login role that the service connects as');
  run<MigrateOptions>(command, async ({ terminal, surroundings: { env } }, options) => {
    const url = parseDatabaseUrl(options.databaseUrl ?? env.TALLYSTICK_DATABASE_URL);
    const { migratePostgres } = await import('@tallystick/server/store');
    const applied = await migratePostgres(url.href, options.serviceLogin).catch((error: unknown) => {
      throw describeMigrationError(error, url);
    });
    if (terminal.json) {
      await terminal.jsonLine({ applied, service_login: options.serviceLogin ?? null });
      return undefined;
    }
    for (const name of applied) await terminal.line(`applied ${name}`);
    if (applied.length === 0) await terminal.line('the schema is up to date');
    if (options.serviceLogin !== undefined)
      await terminal.line(`${options.serviceLogin} may work in it as the service`);
    return undefined;
  });
};

function parseDatabaseUrl(text: string | undefined): URL {
  if (text === undefined || text === '') {
    throw new CliError('USAGE', 'name the database: --database-url URL or TALLYSTICK_DATABASE_URL');
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Never repeated in the message: it holds a password.
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol))
    throw new CliError('USAGE', 'the address of the database must begin with postgres://');
  return url;
}

/** SQLSTATEs of what whoever runs it has to set right, and what to do about it. */
const hints: { readonly [sqlState: string]: string } = {
  '42704': 'make the role first: create role NAME login password …',
  '42501':
    'connect as the owner of the database; for --service-login it also needs: grant NAME to OWNER with admin option',
};

function describeMigrationError(error: unknown, url: URL): CliError {
  const { code, message, name } = error as { code?: string; message: string; name?: string };
  const place = `${url.host}${url.pathname}`;
  if (name === 'ServerError' && (code === 'STORE_UNSUITABLE' || code === 'SCHEMA_VERSION')) {
    return new CliError('STORE_UNSUITABLE', `${place} can't hold a trail: ${message}`, { cause: error });
  }
  const hint = code === undefined ? undefined : hints[code];
  // A host with several addresses fails with an error for each, and no message of its own.
  const reason = message === '' ? (code ?? 'no answer') : message;
  return new CliError('STORE_UNAVAILABLE', `can't migrate ${place}: ${reason}`, {
    cause: error,
    ...(hint !== undefined && { hint }),
  });
}
