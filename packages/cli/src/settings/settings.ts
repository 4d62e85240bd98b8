import { resolve } from 'node:path';
import { CliError } from '../errors.ts';
import type { Config } from './config-file.ts';

/** What the command line says; the same names as in the configuration. */
export type Flags = { readonly [name in 'server' | 'key' | 'tenant' | 'data']?: string | undefined };

/** What a command works on. */
type Target =
  | { readonly kind: 'service'; readonly url: URL; readonly key: string | undefined }
  | { readonly kind: 'directory'; readonly path: string };

export interface Settings {
  readonly tenant: string | undefined;
  /**
   * @throws {CliError} `NO_TARGET` where nothing names one
   */
  target(): Target;
}

interface Sources {
  readonly flags: Flags;
  readonly env: { readonly [name: string]: string | undefined };
  readonly config: Config;
  readonly cwd: string;
}

/** Flags before the environment before the configuration file. An empty value counts as absent. */
export function resolveSettings({ flags, env, config, cwd }: Sources): Settings {
  const levels = [
    { name: 'the command line', ...flags },
    {
      name: 'the environment',
      server: env.TALLYSTICK_URL,
      key: env.TALLYSTICK_API_KEY,
      tenant: env.TALLYSTICK_TENANT,
      data: env.TALLYSTICK_DATA,
    },
    { name: 'the configuration', ...config },
  ];
  return {
    tenant: levels.map(({ tenant }) => tenant).find(isSet),
    target() {
      // A level decides by itself: a --data on the command line is meant, whatever the environment says of a server.
      const level = levels.find(({ server, data }) => isSet(server) || isSet(data));
      if (level === undefined) {
        const hint =
          "name a service (--server URL --key KEY, or TALLYSTICK_URL) or an embedded store's directory (--data DIR)";
        throw new CliError('NO_TARGET', 'neither a service nor a store is named', { hint });
      }
      if (isSet(level.server) && isSet(level.data)) {
        throw new CliError('USAGE', `${level.name} names both a server and a data directory`);
      }
      if (isSet(level.data)) return { kind: 'directory', path: resolve(cwd, level.data) };
      return { kind: 'service', url: parseUrl(level.server!), key: keyFor(level.server!, levels, config) };
    },
  };
}

/** The configured key belongs to the configured server: it is not shown to another one. */
function keyFor(server: string, levels: readonly Flags[], config: Config): string | undefined {
  const [flags, env] = levels;
  if (isSet(flags!.key)) return flags!.key;
  if (isSet(env!.key)) return env!.key;
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
    throw new CliError('USAGE', 'a key belongs into --key or TALLYSTICK_API_KEY, not into the address');
  }
  return url;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
