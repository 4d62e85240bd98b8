import { existsSync } from 'node:fs';
import type { Register } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import {
  type Config,
  type ConfigKey,
  configKeys,
  configPath,
  isConfigKey,
  readConfig,
  writeConfig,
} from '../settings/config-file.ts';
import { renderTable } from '../terminal/table.ts';

/** `tally config`: settings that hold from one command to the next. */
export const registerConfig: Register = (program, run) => {
  const config = program
    .command('config')
    .summary('settings for good')
    .description(
      `Settings for good:\n${Object.entries(configKeys)
        .map(([name, what]) => `  ${name}: ${what}`)
        .join('\n')}`,
    );

  run(config.command('list').description('show all settings; of a key only its end'), async (context) => {
    const { terminal, surroundings } = context;
    const shown = masked(readConfig(surroundings.env));
    if (terminal.json) await terminal.jsonLine(shown);
    else {
      const rows = Object.entries(shown);
      const columns = [
        { title: 'SETTING', value: ([name]: [string, string]) => name },
        { title: 'VALUE', value: ([, value]: [string, string]) => value, flexible: true },
      ];
      if (rows.length > 0) await terminal.write(renderTable(terminal, columns, rows));
      else terminal.note(`nothing is set in ${configPath(surroundings.env)}`);
    }
    return undefined;
  });

  run(
    config.command('get').description('print one setting').argument('<name>'),
    async (context, _, [name]) => {
      const { terminal, surroundings } = context;
      const value = readConfig(surroundings.env)[known(name!)];
      if (terminal.json) await terminal.jsonLine(value ?? null);
      else if (value !== undefined) await terminal.line(value);
      return value === undefined ? exitCodes.broken : undefined;
    },
  );

  const set = config.command('set').description('change a setting; an empty value unsets it');
  run(set.argument('<name>').argument('<value>'), async ({ terminal, surroundings }, _, [name, value]) => {
    const { [known(name!)]: _old, ...rest }: Config = readConfig(surroundings.env);
    writeConfig(surroundings.env, value === '' ? rest : { ...rest, [name!]: value! });
    terminal.note(`${value === '' ? 'unset' : 'set'} ${name} in ${configPath(surroundings.env)}`);
    return undefined;
  });

  run(config.command('path').description('print where the settings are kept'), async (context) => {
    const { terminal, surroundings } = context;
    const path = configPath(surroundings.env);
    if (terminal.json) await terminal.jsonLine({ path, exists: existsSync(path) });
    else await terminal.line(path);
    return undefined;
  });
};

function known(name: string): ConfigKey {
  if (isConfigKey(name)) return name;
  const names = Object.keys(configKeys).join(', ');
  throw new CliError('CONFIG_KEY_UNKNOWN', `there is no setting ${name}`, { hint: `settings: ${names}` });
}

/** A listing ends up in terminals' histories and bug reports. */
function masked(config: Config): Config {
  return config.key === undefined ? config : { ...config, key: `…${config.key.slice(-4)}` };
}
