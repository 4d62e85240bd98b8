import { existsSync } from 'node:fs';
import type { Register } from '../../context.ts';
import { CliError, exitCodes } from '../../errors.ts';
import {
  type Config,
  type ConfigKey,
  configKeys,
  configPath,
  isConfigKey,
  readConfig,
  writeConfig,
} from '../../settings/config-file.ts';
import { renderTable } from '../../terminal/table.ts';
import { checkApiKey } from '../../trust/split-keys.ts';
import { addExamples } from '../options/examples.ts';

/** `tally config`: settings for later commands, in the user's configuration file. */
export const registerConfig: Register = (program, run) => {
  const config = program
    .command('config')
    .summary('keep settings for later commands')
    .description(
      `Keeps settings in a file, so that later commands need no options:\n${Object.entries(configKeys)
        .map(([name, meaning]) => `  ${name}: ${meaning}`)
        .join('\n')}`,
    );

  const list = config
    .command('list')
    .summary('show all settings')
    .description('Shows all settings. Of the API key it shows only the end.');
  addExamples(list, 'tally config list');
  run(list, async (context) => {
    const { terminal, processContext } = context;
    const shown = masked(readConfig(processContext.env));
    if (terminal.json) await terminal.jsonLine(shown);
    else {
      const rows = Object.entries(shown);
      const columns = [
        { title: 'SETTING', value: ([name]: [string, string]) => name },
        { title: 'VALUE', value: ([, value]: [string, string]) => value, flexible: true },
      ];
      if (rows.length > 0) await terminal.write(renderTable(terminal, columns, rows));
      else terminal.note(`nothing is set in ${configPath(processContext.env)}`);
    }
    return undefined;
  });

  const get = config
    .command('get')
    .summary('print one setting')
    .description('Prints one setting. The exit code is 1 if it is not set.')
    .argument('<name>', `one of ${Object.keys(configKeys).join(', ')}`);
  addExamples(get, 'tally config get server');
  run(get, async (context, _, [name]) => {
    const { terminal, processContext } = context;
    const value = readConfig(processContext.env)[checkedName(name!)];
    if (terminal.json) await terminal.jsonLine(value ?? null);
    else if (value !== undefined) await terminal.line(value);
    return value === undefined ? exitCodes.broken : undefined;
  });

  const set = config
    .command('set')
    .summary('change or remove a setting')
    .description('Changes a setting. An empty value removes it.')
    .argument('<name>', `one of ${Object.keys(configKeys).join(', ')}`)
    .argument('<value>', "the new value, or '' to remove the setting");
  addExamples(set, 'tally config set server https://audit.example.com', "tally config set tenant ''");
  run(set, async ({ terminal, processContext }, _, [name, value]) => {
    const { [checkedName(name!)]: _old, ...rest }: Config = readConfig(processContext.env);
    if (name === 'key' && value !== '') checkApiKey(value!);
    writeConfig(processContext.env, value === '' ? rest : { ...rest, [name!]: value! });
    terminal.note(`${value === '' ? 'removed' : 'set'} ${name} in ${configPath(processContext.env)}`);
    return undefined;
  });

  const path = config
    .command('path')
    .summary('print the path of the configuration file')
    .description('Prints the path of the configuration file.');
  addExamples(path, 'tally config path');
  run(path, async (context) => {
    const { terminal, processContext } = context;
    const file = configPath(processContext.env);
    if (terminal.json) await terminal.jsonLine({ path: file, exists: existsSync(file) });
    else await terminal.line(file);
    return undefined;
  });
};

/** @throws {CliError} `CONFIG_KEY_UNKNOWN` */
function checkedName(name: string): ConfigKey {
  if (isConfigKey(name)) return name;
  const names = Object.keys(configKeys).join(', ');
  throw new CliError('CONFIG_KEY_UNKNOWN', `there is no setting ${name}`, {
    hint: `the settings are ${names}`,
  });
}

/** Hides the API key: listings end up in the histories of terminals and in bug reports. */
function masked(config: Config): Config {
  return config.key === undefined ? config : { ...config, key: `…${config.key.slice(-4)}` };
}
