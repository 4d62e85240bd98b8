import type { Command } from 'commander';
import type { Backend } from './backend/backend.ts';
import { openBackend } from './backend/open.ts';
import { CliError } from './errors.ts';
import { readConfig } from './settings/config-file.ts';
import { resolveSettings, type Settings } from './settings/settings.ts';
import { type Surroundings, Terminal } from './terminal/terminal.ts';

/** The options that every command has. */
export interface GlobalOptions {
  readonly server?: string;
  /** API keys and logs' verifier keys: {@link splitKeys}. */
  readonly key?: readonly string[];
  readonly data?: string;
  readonly tenant?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
}

/** What a command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly surroundings: Surroundings;
  readonly settings: Settings;
  /** Verifier keys from the command line, as written. */
  readonly logKeys: readonly string[];
  /**
   * The tenant that the settings name.
   *
   * @throws {CliError} `USAGE` where they name none
   */
  requireTenant(): string;
  /** Opens what the settings name; the caller disposes of it. */
  openBackend(): Promise<Backend>;
}

/** A command's work: returns its exit code, or nothing for 0. */
type Action<Options> = (
  context: Context,
  options: Options & GlobalOptions,
  args: readonly string[],
) => Promise<number | undefined>;

/** Adds commands to a program; `run` is how each hands its work over. */
export type Register = (program: Command, run: RunAction) => void;

export type RunAction = <Options>(command: Command, action: Action<Options>) => void;

export function createContext(surroundings: Surroundings, options: GlobalOptions): Context {
  const { env, cwd } = surroundings;
  let settings: Settings | undefined;
  const { apiKey, logKeys } = splitKeys(options.key ?? []);
  const { server, data, tenant } = options;
  const context: Context = {
    logKeys,
    surroundings,
    terminal: new Terminal(surroundings, {
      json: options.json ?? false,
      quiet: options.quiet ?? false,
      color: options.color,
    }),
    // Read when asked for: a command that needs no settings must work where the file is damaged.
    get settings() {
      settings ??= resolveSettings({
        flags: { server, data, tenant, key: apiKey },
        env,
        config: readConfig(env),
        cwd,
      });
      return settings;
    },
    requireTenant() {
      const named = context.settings.tenant;
      if (named !== undefined) return named;
      throw new CliError('USAGE', 'no tenant is named', {
        hint: '--tenant ID, TALLYSTICK_TENANT or tally config set tenant',
      });
    },
    openBackend: () => openBackend(context),
  };
  return context;
}

/** `<origin>+<8 hex digits>+<base64>`; no API key looks like that. */
const verifierKeyPattern = /^\S+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+\s*$/;

/** One option for both kinds of key, because their users call both "the key"; they can't be mistaken for each other. */
function splitKeys(keys: readonly string[]): { apiKey: string | undefined; logKeys: string[] } {
  const logKeys = keys.filter((key) => verifierKeyPattern.test(key));
  return { apiKey: keys.filter((key) => !logKeys.includes(key)).at(-1), logKeys };
}
