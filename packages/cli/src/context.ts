import type { Command } from 'commander';
import type { Backend } from './backend/backend.ts';
import { openBackend } from './backend/open.ts';
import { CliError } from './errors.ts';
import type { ProcessContext } from './process-context.ts';
import { readConfig } from './settings/config-file.ts';
import { resolveSettings, type Settings } from './settings/settings.ts';
import { Terminal } from './terminal/terminal.ts';
import { splitKeys } from './trust/split-keys.ts';

/** The options that every command has. */
export interface GlobalOptions {
  readonly server?: string;
  /** API keys and verifier keys of logs; {@link splitKeys} tells them apart. */
  readonly key?: readonly string[];
  /** Token of a login at the service's OpenID provider. */
  readonly token?: string;
  readonly data?: string;
  readonly tenant?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly color?: boolean;
}

/** What a command works with. */
export interface Context {
  readonly terminal: Terminal;
  readonly processContext: ProcessContext;
  /** Read from the configuration file on first use, so that a command that needs no settings works with a damaged file. */
  readonly settings: Settings;
  /** Verifier keys from the command line, as written. */
  readonly logKeys: readonly string[];
  /**
   * The tenant that the settings name.
   *
   * @throws {CliError} `USAGE` if they name none
   */
  requireTenant(): string;
  /**
   * Opens the service or the store that the settings name. The caller disposes of it.
   *
   * @param options.mayCreate whether a directory without a store becomes a new store. @defaultValue false
   * @throws {CliError} `USAGE` for a directory without a store, so that a mistyped path creates nothing
   */
  openBackend(options?: { readonly mayCreate?: boolean }): Promise<Backend>;
}

/** The work of a command: returns its exit code, or nothing for 0. */
type Action<Options> = (
  context: Context,
  options: Options & GlobalOptions,
  args: readonly string[],
) => Promise<number | undefined>;

/** Adds a command to the program. It passes its work to `run`. */
export type Register = (program: Command, run: RunAction) => void;

/** What distinguishes a command from others before it runs. */
export interface CommandTraits {
  /** Whether `--key` may be the verifier key of a log. @defaultValue false */
  readonly takesLogKeys?: boolean;
}

export type RunAction = <Options>(command: Command, action: Action<Options>, traits?: CommandTraits) => void;

/** @throws {CliError} `KEY_MALFORMED`, `USAGE` for a `--key` that the command can't use */
export function createContext(
  processContext: ProcessContext,
  options: GlobalOptions,
  { takesLogKeys = false }: CommandTraits = {},
): Context {
  const { env, cwd } = processContext;
  let settings: Settings | undefined;
  const { apiKey, logKeys } = splitKeys(options.key ?? []);
  if (logKeys.length > 0 && !takesLogKeys) {
    const hint = 'tally verify takes one with --key; tally log-keys pin KEY keeps one for later';
    throw new CliError('USAGE', "--key has a log's verifier key, and this command verifies nothing", {
      hint,
    });
  }
  const { server, token, data, tenant } = options;
  const context: Context = {
    logKeys,
    processContext,
    terminal: new Terminal(processContext, {
      json: options.json ?? false,
      quiet: options.quiet ?? false,
      color: options.color,
    }),
    get settings() {
      settings ??= resolveSettings({
        flags: { server, data, tenant, key: apiKey, token },
        env,
        config: readConfig(env),
        cwd,
      });
      return settings;
    },
    requireTenant() {
      const { tenant } = context.settings;
      if (tenant !== undefined) return tenant;
      throw new CliError('USAGE', 'this command needs a tenant', {
        hint: 'name it with --tenant ID, TALLYSTICK_TENANT or tally config set tenant ID',
      });
    },
    openBackend: async (options) =>
      await openBackend(context.settings.target(), processContext, context.terminal, options),
  };
  return context;
}
