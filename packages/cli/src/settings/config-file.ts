import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { CliError } from '../errors.ts';
import { makeDirectory } from './make-directory.ts';

type Env = { readonly [name: string]: string | undefined };

/** The directory of the user's configuration (XDG Base Directory Specification: a relative path is ignored). */
export function configDirectory(env: Env): string {
  const base = env.XDG_CONFIG_HOME;
  return join(base?.startsWith('/') ? base : join(env.HOME ?? homedir(), '.config'), 'tallystick');
}

/** Settings that `tally config` keeps, and what each means. */
export const configKeys = {
  server: 'address of the service, for example https://audit.example.com',
  key: 'API key of that service',
  tenant: 'tenant whose records are meant',
  data: 'directory of an embedded store',
} as const;

export type ConfigKey = keyof typeof configKeys;
export type Config = { readonly [name in ConfigKey]?: string };

export function isConfigKey(name: string): name is ConfigKey {
  return Object.hasOwn(configKeys, name);
}

export const configPath = (env: Env): string => join(configDirectory(env), 'config.json');

/**
 * @throws {CliError} `CONFIG_INVALID`
 */
export function readConfig(env: Env): Config {
  const path = configPath(env);
  const value = readJsonObject(path, 'CONFIG_INVALID');
  for (const [name, setting] of Object.entries(value)) {
    if (!isConfigKey(name) || typeof setting !== 'string') {
      throw new CliError('CONFIG_INVALID', `${path}: ${name} is not a setting, or its value is not a string`);
    }
  }
  return value as Config;
}

export function writeConfig(env: Env, config: Config): void {
  writeJsonObject(configPath(env), config);
}

/** Reads a JSON object from a file. Without a file, the object is empty. */
export function readJsonObject(
  path: string,
  code: 'CONFIG_INVALID' | 'KNOWN_LOGS_INVALID',
): { readonly [name: string]: unknown } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw cause;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new CliError(code, `${path} is not JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CliError(code, `${path} does not contain a JSON object`);
  }
  return value as { readonly [name: string]: unknown };
}

/** Replaces a file in one step. Only its owner can read it, because it may contain a key. A crash leaves the old or the new file. */
export function writeJsonObject(path: string, value: object): void {
  makeDirectory(dirname(path));
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  // The mode above is ignored if the file exists: a crashed run with the same process id may have left it.
  chmodSync(fresh, 0o600);
  renameSync(fresh, path);
}
