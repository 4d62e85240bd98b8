import { type EventFilters, filterParameters } from '@tallystick/event';
import { type Command, Option } from 'commander';
import { pointInTime } from './option-values.ts';

/** Filters that the command line offers: those of the table of indexed fields that name an option. */
const filters = filterParameters.flatMap(({ name, option, field, description }) =>
  option === undefined ? [] : [{ parameter: name, option, field, description }],
);

export type FilterOptions = { readonly [option: string]: unknown };

export function addFilterOptions(command: Command): Command {
  for (const { option: name, field, description } of filters) {
    const option = new Option(`--${name} <value>`, helpText(description, field.type));
    if (field.filter?.kind === 'enum') option.choices(field.filter.values);
    command.addOption(option);
  }
  return command;
}

/** A description as help writes it: it begins in lower case, and has no Markdown. */
function helpText(description: string, type: string): string {
  const text = description.replaceAll('`', '');
  return `${text[0]!.toLowerCase()}${text.slice(1)}${type === 'timestamp' ? ', RFC 3339 or an age such as 7d, 12h, 5m' : ''}`;
}

/**
 * The filters that were given. Their values stay the texts of the command line, which the service parses and checks. An age
 * becomes the time so long before now.
 */
export function filtersOf(options: FilterOptions, now: number): EventFilters {
  const given: { [parameter: string]: string } = {};
  for (const { option, parameter, field } of filters) {
    const value = options[option.replace(/-(\w)/, (_, letter: string) => letter.toUpperCase())];
    if (typeof value === 'string')
      given[parameter] = field.type === 'timestamp' ? pointInTime(value, now) : value;
  }
  return given as EventFilters;
}
