import {
  type EventFilters,
  type FilterParameter,
  filterParameters,
  parseMemberName,
} from '@tallystick/event';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { collect } from './lost-values.ts';
import { pointInTime } from './option-values.ts';

/** Help of the option `--q`, where a command has one. */
export const searchHelp = 'events that this search finds; tally help search describes it';

/** A filter that the command line offers: one of the table of indexed fields that names an option. */
type FilterOption = FilterParameter & { readonly option: string };

const filters = filterParameters.filter((each): each is FilterOption => each.option !== undefined);

export type FilterOptions = { readonly [option: string]: unknown };

/** Adds an option for each filter, and `--not`. All but the ends of ranges may be given several times. */
export function addFilterOptions(command: Command): Command {
  for (const filter of filters) command.addOption(optionOf(filter));
  const not = new Option(
    '--not <option=value>',
    'leave out what an option finds, such as type=audit.* or metadata.platform=web',
  );
  return command.addOption(collect(not, readNegation));
}

function optionOf(filter: FilterOption): Option {
  const { option: name, field, compare, description } = filter;
  if (field.filter?.kind === 'range') {
    return new Option(
      `--${name} <time>`,
      `${helpText(description)}, RFC 3339, a day or an age such as 7d, 12h, 5m`,
    );
  }
  if (compare === 'member') {
    const what = `member of ${name} at a path, such as platform=web`;
    return collect(new Option(`--${name} <path=value>`, what), (text) => readMember(filter, text));
  }
  const option = new Option(`--${name} <value>`, helpText(description));
  const values = choicesOf(filter);
  if (values !== undefined) option.choices(values);
  return collect(option, (text) => readChoice(text, values));
}

/** A description as help writes it: it begins in lower case, and has no Markdown. */
function helpText(description: string): string {
  const text = description.replaceAll('`', '');
  return `${text[0]!.toLowerCase()}${text.slice(1)}`;
}

type Given = readonly (readonly [name: string, value: string])[];

function readChoice(text: string, choices: readonly string[] | undefined): string {
  if (choices?.includes(text) === false)
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  return text;
}

/** `path=value` as the name of a parameter and its value. */
function readMember({ name }: FilterParameter, text: string): readonly [string, string] {
  const at = text.indexOf('=');
  const parameter = `${name}.${text.slice(0, Math.max(at, 0))}`;
  if (at === text.length - 1 || parseMemberName(parameter) === undefined)
    throw new InvalidArgumentError('It must be a path and a value, such as platform=web.');
  return [parameter, text.slice(at + 1)];
}

/** `option=value` as the name of a parameter and its value. */
function readNegation(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  const name = text.slice(0, Math.max(at, 0)).replace(/^--/, '');
  if (at === text.length - 1)
    throw new InvalidArgumentError('It must be an option and a value, such as actor=maria.');
  if (parseMemberName(name) !== undefined) return [name, text.slice(at + 1)];
  const filter = filters.find(({ option, field }) => option === name && field.filter?.kind !== 'range');
  if (filter === undefined || filter.compare === 'member') {
    const names = filters.filter(({ field }) => field.filter?.kind !== 'range').map(({ option }) => option);
    throw new InvalidArgumentError(`It must begin with one of ${names.join('=, ')}=.`);
  }
  return [filter.name, readChoice(text.slice(at + 1), choicesOf(filter))];
}

function choicesOf({ field: { filter } }: FilterParameter): readonly string[] | undefined {
  return filter?.kind === 'enum' ? filter.values : undefined;
}

/**
 * The filters that were given. Their values stay the texts of the command line, which the service parses and checks. An age
 * becomes the time so long before now.
 */
export function filtersOf(options: FilterOptions, now: number): EventFilters {
  const given: { [parameter: string]: string | string[] } = {};
  for (const { option, name, field, compare } of filters) {
    const value = options[option.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
    if (value === undefined) continue;
    if (compare === 'member') Object.assign(given, grouped(value as Given));
    else given[name] = field.type === 'timestamp' ? pointInTime(value as string, now) : (value as string[]);
  }
  const not = options.not === undefined ? undefined : grouped(options.not as Given);
  return { ...given, ...(not !== undefined && { not }) } as EventFilters;
}

/** The values of each parameter. */
function grouped(pairs: Given): { [parameter: string]: string[] } {
  const names = [...new Set(pairs.map(([name]) => name))];
  return Object.fromEntries(
    names.map((name) => [name, pairs.flatMap(([own, value]) => (own === name ? [value] : []))]),
  );
}
