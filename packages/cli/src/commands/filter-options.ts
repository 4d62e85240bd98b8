import { severities } from '@tallystick/event';
import { type Command, Option } from 'commander';

/** What events may be narrowed to: option, the API's parameter, what it is. */
const filters = [
  ['type', 'event_type', 'event type, or a prefix as alert.*'],
  ['category', 'event_category', 'event category'],
  ['actor', 'actor_id', 'who acted'],
  ['actor-type', 'actor_type', 'kind of who acted'],
  ['target', 'target_id', 'what was acted on'],
  ['target-type', 'target_type', 'kind of what was acted on'],
  ['outcome', 'outcome_status', 'how it ended'],
  ['investigation', 'investigation_id', 'investigation'],
  ['alert', 'alert_id', 'alert'],
  ['correlation', 'correlation_id', 'request or job'],
  ['trace', 'trace_id', 'trace'],
  ['source', 'source_service', 'who emitted'],
  ['from', 'from', 'not before this time, RFC 3339'],
  ['to', 'to', 'before this time, RFC 3339'],
] as const;

export type FilterOptions = { readonly [option: string]: unknown };

export function addFilterOptions(command: Command): Command {
  for (const [name, , what] of filters) command.option(`--${name} <value>`, what);
  return command.addOption(new Option('--severity <value>', 'severity').choices(severities));
}

/** The API's parameters of the filters that were given. */
export function filtersOf(options: FilterOptions): { readonly [parameter: string]: string } {
  const given: { [parameter: string]: string } = {};
  for (const [name, parameter] of [...filters, ['severity', 'severity'] as const]) {
    const value = options[name.replace(/-(\w)/, (_, letter: string) => letter.toUpperCase())];
    if (typeof value === 'string') given[parameter] = value;
  }
  return given;
}
