import { actorTypes, parseStrictJson, type Severity, severities, uuidv7 } from '@tallystick/event';
import { Option } from 'commander';
import type { SubmitOutcome } from '../backend/backend.ts';
import type { Context, Register } from '../context.ts';
import { CliError, exitCodes } from '../errors.ts';
import { readInput } from '../terminal/input.ts';
import { printable } from '../terminal/printable.ts';

interface EmitOptions {
  readonly type?: string;
  readonly actor?: string;
  readonly target?: string;
  readonly outcome?: string;
  readonly severity?: Severity;
  readonly investigation?: string;
  readonly correlation?: string;
  readonly metadata?: string;
  readonly source: string;
}

/** Events of one request. */
const batchSize = 500;

/** `tally emit`: writes events by hand or from a script, and says where they were chained. */
export const registerEmit: Register = (program, run) => {
  const command = program
    .command('emit')
    .summary('write an event')
    .description(
      'Writes an event from the options; without --type, the JSON events on standard input, one a line. What is missing ' +
        'is filled in: audit_id, timestamp, tenant_id, source_service. Prints receipts.',
    )
    .option('--type <type>', 'event type, such as content.publish')
    .option('--actor <[type:]id>', 'who acted; a user unless a type is named')
    .option('--target <type:id>', 'what was acted on')
    .option('--outcome <status>', 'how it ended')
    .addOption(new Option('--severity <severity>', 'severity').choices(severities))
    .option('--investigation <id>', 'the investigation it belongs to')
    .option('--correlation <id>', 'the request or job it belongs to')
    .option('--metadata <json>', 'a JSON object')
    .option('--source <service>', 'who emits', 'tally-cli');
  run<EmitOptions>(command, async (context, options) => {
    const events =
      options.type === undefined ? await readEvents(context, options) : [fromOptions(context, options)];
    await using backend = await context.openBackend();
    let refused = 0;
    for (let at = 0; at < events.length; at += batchSize) {
      const outcomes = await backend.submit(events.slice(at, at + batchSize), 'cli');
      for (const [index, outcome] of outcomes.entries()) {
        if ('error' in outcome) refused++;
        await tell(context, outcome, at + index);
      }
    }
    return refused > 0 ? exitCodes.broken : exitCodes.ok;
  });
};

function fromOptions(context: Context, options: EmitOptions): string {
  if (options.actor === undefined) throw new CliError('USAGE', '--type needs --actor');
  const [actorType, actorId] = splitActor(options.actor);
  const target = options.target === undefined ? undefined : splitAt(options.target, ':');
  if (options.target !== undefined && target === undefined) {
    throw new CliError('USAGE', '--target is written type:id');
  }
  return complete(context, options, {
    event_type: options.type,
    severity: options.severity,
    actor_type: actorType,
    actor_id: actorId,
    target_type: target?.[0],
    target_id: target?.[1],
    investigation_id: options.investigation,
    correlation_id: options.correlation,
    outcome: options.outcome === undefined ? undefined : { outcome_status: options.outcome },
    metadata: options.metadata === undefined ? undefined : parseStrictJson(options.metadata),
  });
}

async function readEvents(context: Context, options: EmitOptions): Promise<string[]> {
  const bytes = await readInput(undefined, context.surroundings);
  const lines = bytes
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new CliError('NO_INPUT', 'no event on standard input');
  return lines.map((line) => {
    const value = parseStrictJson(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return complete(context, options, value);
    throw new CliError('INPUT_INVALID', 'an event is a JSON object');
  });
}

function complete(context: Context, options: EmitOptions, event: object): string {
  const now = context.surroundings.now();
  const given = event as { readonly tenant_id?: string };
  return JSON.stringify({
    audit_id: uuidv7(now),
    timestamp: new Date(now).toISOString(),
    tenant_id: given.tenant_id ?? context.requireTenant(),
    source_service: options.source,
    ...event,
  });
}

/** An id may hold colons of its own, as ARNs do: only what is a type of actor counts as one. */
function splitActor(actor: string): [type: string, id: string] {
  const parts = splitAt(actor, ':');
  const isTyped = parts !== undefined && (actorTypes as readonly string[]).includes(parts[0]);
  return isTyped ? parts : ['user', actor];
}

function splitAt(text: string, separator: string): [string, string] | undefined {
  const at = text.indexOf(separator);
  return at <= 0 || at === text.length - 1 ? undefined : [text.slice(0, at), text.slice(at + 1)];
}

async function tell({ terminal }: Context, outcome: SubmitOutcome, index: number): Promise<void> {
  if (terminal.json) await terminal.jsonLine({ index, ...outcome });
  else if ('error' in outcome) {
    const { code, message, pointer } = outcome.error;
    terminal.warn(`event ${index} was refused: ${printable(`${pointer} ${message}`.trim())} (${code})`);
  } else if (outcome.status === 'accepted') {
    await terminal.line(`${terminal.style('green', 'accepted')}  ${outcome.audit_id}`);
  } else {
    const { audit_id, tenant_id, sequence_number, record_hash } = outcome.receipt;
    const status = terminal.style(outcome.status === 'chained' ? 'green' : 'yellow', outcome.status);
    await terminal.line(`${status}  ${tenant_id} #${sequence_number}  ${audit_id}  ${record_hash}`);
  }
}
