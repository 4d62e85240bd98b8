import { resolve } from 'node:path';
import { CliError } from '../errors.ts';
import type { Config } from './config-file.ts';

/** What the command line says, with the names of the configuration file. */
export type Flags = {
  readonly [name in 'server' | 'key' | 'token' | 'tenant' | 'data']?: string | undefined;
};

/** The service or the store that a command works on. The credential is an API key, or the token of a login. */
export type Target =
  | { readonly kind: 'service'; readonly url: URL; readonly credential: string | undefined }
  | { readonly kind: 'directory'; readonly path: string };

export interface Settings {
  readonly tenant: string | undefined;
  /**
   * @throws {CliError} `NO_TARGET` if no setting names one
   */
  target(): Target;
}

interface Sources {
  readonly flags: Flags;
  readonly env: { readonly [name: string]: string | undefined };
  readonly config: Config;
  readonly cwd: string;
}

/** Options come before the environment, and the environment before the configuration file. An empty value is absent. */
export function resolveSettings({ flags, env, config, cwd }: Sources): Settings {
  const levels = [
    { name: 'the command line', ...flags },
    {
      name: 'the environment',
      server: env.TALLYSTICK_URL,
      key: env.TALLYSTICK_API_KEY,
      token: env.TALLYSTICK_TOKEN,
      tenant: env.TALLYSTICK_TENANT,
      data: env.TALLYSTICK_DATA,
    },
    { name: 'the configuration', ...config },
  ];
  return {
    tenant: levels.map(({ tenant }) => tenant).find(isSet),
    target() {
      // The first level that names one decides: --data on the command line wins over a server in the environment.
      const level = levels.find(({ server, data }) => isSet(server) || isSet(data));
      if (level === undefined) {
        const hint =
          'name a service (--server URL --key KEY, or TALLYSTICK_URL and TALLYSTICK_API_KEY) or the directory of an ' +
          'embedded store (--data DIR)';
        throw new CliError('NO_TARGET', 'this command needs a service or a store', { hint });
      }
      if (isSet(level.server) && isSet(level.data)) {
        throw new CliError('USAGE', `${level.name} names both a service and a data directory`);
      }
      if (isSet(level.data) && isSet(flags.token)) {
        throw new CliError('USAGE', '--token is for a service, and a directory needs none');
      }
      if (isSet(level.data) && isSet(flags.key)) {
        const hint = "a directory needs no API key; a log's verifier key looks like <origin>+<id>+<base64>";
        throw new CliError('USAGE', '--key has a value that is not the verifier key of a log', { hint });
      }
      if (isSet(level.data)) return { kind: 'directory', path: resolve(cwd, level.data) };
      return {
        kind: 'service',
        url: parseUrl(level.server!),
        credential: credentialFor(level.server!, levels, config),
      };
    },
  };
}

/** The configured key belongs to the configured service: no other service may see it. */
function credentialFor(
  server: string,
  levels: readonly (Flags & { readonly name: string })[],
  config: Config,
): string | undefined {
  for (const { name, key, token } of levels.slice(0, 2)) {
    if (isSet(key) && isSet(token)) throw new CliError('USAGE', `${name} names both an API key and a token`);
    if (isSet(token)) return token;
    if (isSet(key)) return key;
  }
  const own = isSet(config.server) && parseUrl(config.server).href === parseUrl(server).href;
  return own && isSet(config.key) ? config.key : undefined;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CliError(
      'USAGE',
      `${JSON.stringify(text)} is not the address of a service: http://… or https://…`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new CliError('USAGE', 'the address must not contain a key: use --key or TALLYSTICK_API_KEY');
  }
  return url;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
