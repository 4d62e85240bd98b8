import {
  counted,
  duration,
  type EventView,
  forestOf,
  numberIn,
  summarize,
  type Timeline,
  type TimelineRow,
  type TimelineSummary,
  type TimelineView,
  textIn,
  timelineOf,
} from '@tallystick/protocol';
import { InvalidArgumentError } from 'commander';
import type { Context, Register } from '../../context.ts';
import { CliError } from '../../errors.ts';
import { shortTime, styleOf } from '../../terminal/event-columns.ts';
import { displayWidth, printable } from '../../terminal/printable.ts';
import type { Style } from '../../terminal/terminal.ts';
import { wrap } from '../../timeline/layout.ts';
import { namingOf } from '../../timeline/naming.ts';
import { detailsOf, headOf } from '../../timeline/record-lines.ts';
import { sectionsOf } from '../../timeline/sections.ts';
import { describeSubject, type SubjectOptions, subjectOf } from '../../timeline/subject.ts';
import { addExamples } from '../options/examples.ts';
import { wholeNumber } from '../options/option-values.ts';

interface TimelineOptions extends SubjectOptions {
  readonly limit: number;
  readonly summary?: boolean;
}

const mostRecords = 10_000;
/** Columns beyond this make long lines that are hard to read. */
const widest = 100;

/** `tally timeline`: one investigation as a tree of causes, with what it cost, who decided, and what is missing. */
export const registerTimeline: Register = (program, run) => {
  const command = program
    .command('timeline')
    .summary('show what happened in one investigation or one run of an agent, and why')
    .description(
      'Shows the records of one investigation, or of a correlation, a trace or a run of an agent, as a tree of causes: what each model answered and why, what it cost, who approved, what ' +
        'was done and what was not. A summary follows, which says what is missing as far as the records show it. The tree has what the ' +
        'service lists; tally verify proves that no record was changed or removed.',
    )
    .argument('[investigation]', 'the investigation_id of the events')
    .option('--correlation <id>', 'the records with this correlation_id instead')
    .option('--trace <id>', 'the records with this trace_id instead')
    .option('--run <id>', 'a run of an agent instead: the audit_id of its record agent.run.started')
    .option('-n, --limit <count>', `read at most this many records, up to ${mostRecords}`, recordLimit, 1_000)
    .option('--summary', 'print the summary without the records');
  addExamples(
    command,
    'tally timeline inv-17 --tenant acme',
    'tally timeline inv-17 --tenant acme --summary',
    'tally timeline inv-17 --tenant acme --limit 10000 --json',
    'tally timeline --tenant acme --run 019ca97b-f880-7000-8000-000000000001',
  );
  run<TimelineOptions>(
    command,
    async (context, { limit, summary: onlySummary = false, ...given }, [investigationId]) => {
      const subject = subjectOf(given, investigationId);
      const tenantId = context.requireTenant();
      await using backend = await context.openBackend();
      const view = await backend.client.timelines.get({
        tenant_id: tenantId,
        ...subject,
        limit,
      });
      const timeline = timelineOf(view);
      if (timeline.records.length === 0) {
        const { word, id, hint } = describeSubject(subject);
        throw new CliError('NOT_FOUND', `${tenantId} has no record of the ${word} ${id}`, {
          hint: `${hint}; sensitive records need the scope events:read-sensitive`,
        });
      }
      const rows = onlySummary ? [] : forestOf(timeline.records);
      if (context.terminal.json) await printJson(context, view, onlySummary);
      else await print(context, timeline, rows, summarize(timeline));
      return undefined;
    },
  );
};

function recordLimit(text: string): number {
  const limit = wholeNumber(text);
  if (limit > mostRecords) throw new InvalidArgumentError(`It must be at most ${mostRecords}.`);
  return limit;
}

/** One line per record, in the order of the tree, and a last line with the summary. */
async function printJson({ terminal }: Context, view: TimelineView, onlySummary: boolean): Promise<void> {
  for (const { depth, elapsed_ms, duration_ms, event } of onlySummary ? [] : view.records) {
    if (terminal.outputEnded) return;
    await terminal.jsonLine({ depth, elapsed_ms, duration_ms, event });
  }
  await terminal.jsonLine({
    summary: {
      tenant_id: view.tenant_id,
      ...timelineOf(view).subject,
      records: view.records.length,
      complete: view.complete,
      ...view.summary,
    },
  });
}

async function print(
  { terminal }: Context,
  timeline: Timeline,
  rows: readonly TimelineRow[],
  summary: TimelineSummary,
): Promise<void> {
  const { records, tenantId, outside } = timeline;
  const width = Math.min(widest, terminal.width);
  const nameOf = namingOf(timeline);
  const begin = records[0]!.time;
  const numberWidth = Math.max(...records.map(({ sequence }) => `#${sequence}`.length));
  const bold = (text: string) => terminal.style('bold', text);
  for (const line of headingOf(timeline).flatMap((text) => wrap(text, width)))
    await terminal.line(bold(line));
  await terminal.line();
  for (const { record, head, rail, isRoot } of rows) {
    if (terminal.outputEnded) return;
    const number = `#${record.sequence}`.padStart(numberWidth);
    const left = `${`+${duration(record.time - begin)}`.padStart(elapsedWidth)} ${number}  `;
    const style = record.event.damaged === true ? 'red' : styleOf(record.event);
    const lines = wrap(headOf(record, nameOf), width - displayWidth(left + head));
    for (const [at, line] of lines.entries()) {
      const before = at === 0 ? left + head : `${' '.repeat(left.length)}${rail}  `;
      await terminal.line(`${before}${styled(terminal, style ?? (at === 0 ? 'bold' : undefined), line)}`);
    }
    const details = [...causeOf(timeline, record.cause, isRoot, outside), ...detailsOf(record, nameOf)];
    for (const [name, text] of details) {
      const indent = `${' '.repeat(left.length)}${rail}`;
      const texts = wrap(text, width - displayWidth(indent) - nameWidth);
      for (const [at, line] of texts.entries()) {
        const label = (at === 0 ? name : '').padEnd(nameWidth);
        await terminal.line(`${indent}${terminal.style('dim', label)}${line}`);
      }
    }
  }
  if (rows.length > 0) await terminal.line();
  for (const [name, texts] of sectionsOf(timeline, summary)) {
    const marked = name === 'Missing' && summary.missing.length > 0;
    for (const [at, text] of texts.entries()) {
      for (const [part, line] of wrap(text, width - sectionWidth).entries()) {
        const label = (at === 0 && part === 0 ? name : '').padEnd(sectionWidth);
        await terminal.line(`${bold(label)}${styled(terminal, marked ? 'yellow' : undefined, line)}`);
      }
    }
  }
  await terminal.line();
  const ends = [
    `This is what the service lists. tally verify --tenant ${printable(tenantId)} proves that no record was changed or removed.`,
    'Sensitive records are listed only to a key with the scope events:read-sensitive. tally show NUMBER shows a whole record.',
  ];
  for (const line of ends.flatMap((text) => wrap(text, width)))
    await terminal.line(terminal.style('dim', line));
}

const elapsedWidth = 9;
const nameWidth = 9;
const sectionWidth = 13;

function styled(terminal: Context['terminal'], style: Style | undefined, text: string): string {
  return style === undefined ? text : terminal.style(style, text);
}

function headingOf({ subject, tenantId, records }: Timeline): string[] {
  const [first, last] = [records[0]!, records.at(-1)!];
  const { word, id } = describeSubject(subject);
  const state = records.findLast(({ type }) => type === 'investigation.state_changed');
  const heading = [
    `${word[0]!.toUpperCase()}${word.slice(1)} ${id} of ${tenantId}`,
    `${counted(records.length, 'record')} in ${duration(last.time - first.time)}, from ${shortTime(new Date(first.time).toISOString())} UTC`,
  ];
  if (state === undefined) return heading;
  const verdict = textIn(state.event, 'decision', 'classification');
  const confidence = numberIn(state.event, 'decision', 'confidence');
  const parts = [
    `State: ${textIn(state.event, 'outcome', 'state_after') ?? 'not on record'}`,
    verdict === undefined ? 'no verdict' : `verdict: ${verdict}`,
    ...(confidence === undefined ? [] : [`confidence: ${confidence}`]),
  ];
  return [...heading, parts.join(', ')];
}

/** A record at the beginning of a line says why it is there, if it names a cause. */
function causeOf(
  { subject, records }: Timeline,
  cause: string | undefined,
  isRoot: boolean,
  outside: ReadonlyMap<string, EventView | undefined>,
): (readonly [name: string, text: string])[] {
  if (!isRoot || cause === undefined) return [];
  if (records.some(({ id }) => id === cause))
    return [['cause', 'the records form a cycle, which is cut here']];
  const event = outside.get(cause);
  if (event === undefined) return [['cause', `${cause}, which is not in the list`]];
  const type = textIn(event, 'event_type') ?? 'a record';
  return [
    [
      'cause',
      `${type} #${numberIn(event, 'sequence_number') ?? '?'}, outside of the ${describeSubject(subject).word}`,
    ],
  ];
}
