import { parseStrictJson, type Severity, severities, uuidv7 } from '@tallystick/event';
import type { ItemResult } from '@tallystick/protocol';
import { Option } from 'commander';
import type { Context, Register } from '../../context.ts';
import { CliError, exitCodes } from '../../errors.ts';
import { splitActor } from '../../gating/principal.ts';
import { readInput } from '../../terminal/input.ts';
import { addExamples } from '../options/examples.ts';

interface EmitOptions {
  readonly type?: string;
  readonly actor?: string;
  readonly onBehalfOf?: readonly string[];
  readonly target?: string;
  readonly outcome?: string;
  readonly severity?: Severity;
  readonly investigation?: string;
  readonly correlation?: string;
  readonly sourceIp?: string;
  readonly metadata?: string;
  readonly source: string;
}

/** Events per request. */
const batchSize = 500;

/** `tally emit`: writes events by hand or from a script, and prints a receipt for each. */
export const registerEmit: Register = (program, run) => {
  const command = program
    .command('emit')
    .summary('write events')
    .description(
      'Writes one event that the options describe. Without --type, it reads events from standard input: one JSON object per ' +
        'line. A missing audit_id, timestamp, tenant_id or source_service is filled in. Prints one receipt per event; the exit ' +
        'code is 1 if an event is refused.',
    )
    .option('--type <type>', 'type of the event, such as content.publish')
    .option('--actor <[type:]id>', 'who acted, such as jane or agent:writer (default type: user)')
    .option('--on-behalf-of <[type:]id...>', 'for whom the actor acts, the nearest first')
    .option('--target <type:id>', 'what was acted on, such as post:17')
    .option('--outcome <status>', 'how the action ended, such as success, failure or denied')
    .addOption(new Option('--severity <severity>', 'severity of the event').choices(severities))
    .option('--investigation <id>', 'investigation that the event belongs to')
    .option('--correlation <id>', 'request or job that the event belongs to')
    .option('--source-ip <address>', 'IPv4 or IPv6 address from which the actor acted')
    .option('--metadata <json>', 'further data about the event, as a JSON object')
    .option('--source <service>', 'name of the service that emits the event', 'tally-cli');
  addExamples(
    command,
    'tally emit --tenant acme --type content.publish --actor jane --target post:17 --outcome success',
    'tally emit --tenant acme < events.jsonl',
  );
  run<EmitOptions>(command, async (context, options) => {
    const events =
      options.type === undefined ? await readEvents(context, options) : [fromOptions(context, options)];
    await using backend = await context.openBackend({ mayCreate: true });
    let refused = 0;
    for (let at = 0; at < events.length; at += batchSize) {
      const results = await backend.submit(events.slice(at, at + batchSize), 'cli');
      for (const [index, result] of results.entries()) {
        if ('error' in result) refused++;
        await printResult(context, result, at + index);
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
    throw new CliError('USAGE', '--target must be type:id, such as post:17');
  }
  return complete(context, options, {
    event_type: options.type,
    severity: options.severity,
    actor_type: actorType,
    actor_id: actorId,
    on_behalf_of: options.onBehalfOf?.map((principal) => {
      const [actor_type, actor_id] = splitActor(principal);
      return { actor_type, actor_id };
    }),
    target_type: target?.[0],
    target_id: target?.[1],
    investigation_id: options.investigation,
    correlation_id: options.correlation,
    source_ip: options.sourceIp,
    outcome: options.outcome === undefined ? undefined : { outcome_status: options.outcome },
    metadata: options.metadata === undefined ? undefined : parseStrictJson(options.metadata),
  });
}

async function readEvents(context: Context, options: EmitOptions): Promise<string[]> {
  const bytes = await readInput(undefined, context.processContext);
  const lines = bytes
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new CliError('NO_INPUT', 'standard input has no event');
  return lines.map((line) => {
    const value = parseStrictJson(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return complete(context, options, value);
    throw new CliError('INPUT_INVALID', 'an event must be a JSON object');
  });
}

function complete(context: Context, options: EmitOptions, event: object): string {
  const now = context.processContext.now();
  const given = event as { readonly tenant_id?: string };
  return JSON.stringify({
    audit_id: uuidv7(now),
    timestamp: new Date(now).toISOString(),
    tenant_id: given.tenant_id ?? context.requireTenant(),
    source_service: options.source,
    ...event,
  });
}

function splitAt(text: string, separator: string): [string, string] | undefined {
  const at = text.indexOf(separator);
  return at <= 0 || at === text.length - 1 ? undefined : [text.slice(0, at), text.slice(at + 1)];
}

async function printResult({ terminal }: Context, result: ItemResult, index: number): Promise<void> {
  if (terminal.json) await terminal.jsonLine({ index, ...result });
  else if ('error' in result) {
    const { code, message, pointer = '' } = result.error;
    terminal.warn(`event ${index} was refused: ${`${pointer} ${message}`.trim()} (${code})`);
  } else if (result.status === 'accepted') {
    await terminal.line(`${terminal.style('green', 'accepted')}  ${result.audit_id}`);
  } else {
    const { audit_id, tenant_id, sequence_number, record_hash } = result.receipt;
    const status = terminal.style(result.status === 'chained' ? 'green' : 'yellow', result.status);
    await terminal.line(`${status}  ${tenant_id} #${sequence_number}  ${audit_id}  ${record_hash}`);
  }
}
