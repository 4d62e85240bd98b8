import type {
  ClosedEpochReport,
  Finding,
  Report,
  SelectionVerdict,
  SequenceRange,
  Verdict,
} from '@tallystick/verify';
import type { Context } from '../../context.ts';
import { exitCodes } from '../../errors.ts';
import { missingRecords } from '../../terminal/missing-records.ts';
import { renderTable } from '../../terminal/table.ts';
import type { Style, Terminal } from '../../terminal/terminal.ts';
import type { Equivocation } from '../../trust/equivocation.ts';
import type { ComparedCheckpoint } from '../../trust/trust-context.ts';

type AnyVerdict = Verdict | SelectionVerdict;

const exitCodeByVerdict: { readonly [verdict in AnyVerdict]: number } = {
  verified: exitCodes.ok,
  recovered: exitCodes.ok,
  verified_partial: exitCodes.partial,
  recovered_partial: exitCodes.partial,
  verified_selection: exitCodes.partial,
  recovered_selection: exitCodes.partial,
  broken: exitCodes.broken,
  not_verifiable: exitCodes.notVerifiable,
};

export function exitCodeOf({ verdict }: { readonly verdict: AnyVerdict }): number {
  return exitCodeByVerdict[verdict];
}

const styles: { readonly [verdict in AnyVerdict]: Style } = {
  verified: ['green', 'bold'],
  recovered: ['yellow', 'bold'],
  verified_partial: ['yellow', 'bold'],
  recovered_partial: ['yellow', 'bold'],
  verified_selection: ['yellow', 'bold'],
  recovered_selection: ['yellow', 'bold'],
  broken: ['red', 'bold'],
  not_verifiable: ['yellow', 'bold'],
};
const signs: { readonly [verdict in AnyVerdict]: string } = {
  verified: '✔ verified',
  recovered: '✔ recovered',
  verified_partial: '◐ A PART of a trail, verified',
  recovered_partial: '◐ A PART of a recovered trail, verified',
  verified_selection: '◐ A SELECTION of a trail, verified',
  recovered_selection: '◐ A SELECTION of a recovered trail, verified',
  broken: '✘ BROKEN',
  not_verifiable: '? not verifiable',
};

export function verdictText(terminal: Terminal, verdict: AnyVerdict): string {
  return terminal.style(styles[verdict], signs[verdict]);
}

/** Most findings in the table. The rest are counted. */
const findingsShown = 20;

/** What is known besides the report. */
interface ReportContext {
  /** Checkpoints that the records were compared with. */
  readonly compared?: readonly ComparedCheckpoint[];
  readonly equivocation?: Equivocation | undefined;
}

/** Prints the report as one line of JSON, or as a verdict with its findings. */
export async function printReport(
  { terminal }: Context,
  report: Report,
  { compared = [], equivocation }: ReportContext = {},
): Promise<void> {
  if (terminal.json) {
    await terminal.jsonLine({
      ...report,
      ...(compared.length > 0 && { held_against: compared }),
      ...(equivocation !== undefined && { equivocation }),
    });
    return;
  }
  const { verdict, tenant_id, findings } = report;
  await terminal.line(`${verdictText(terminal, verdict)}  ${tenant_id ?? ''}  ${extentOf(report)}`.trimEnd());
  await printRanges(terminal, report);
  for (const closed of report.closed ?? []) await terminal.line(`  ${closedText(closed)}`);
  const { accounts_not_on_record: unrecorded = 0, operations_not_on_record: operations = 0 } = report;
  if (unrecorded > 0)
    await terminal.line(`  accounts of ${unrecorded} producers not compared: no record says what they were`);
  if (operations > 0)
    await terminal.line(`  ${operations} operations not compared: no record says what they were`);
  const { source, keys } = report.trust;
  if (keys.length > 0) await terminal.line(terminal.style('dim', `  key ${source}: ${keys.join(', ')}`));
  for (const { rotated_at, old_key, new_key, last_size } of report.rotations ?? []) {
    const text = `  key rotated on ${rotated_at.slice(0, 10)} after ${last_size} records, signed by both: ${old_key} to ${new_key}`;
    await terminal.line(terminal.style('dim', text));
  }
  for (const { size, file, kept_since } of compared) {
    const where = file === undefined ? `kept since ${kept_since?.slice(0, 10)}` : `in ${file}`;
    await terminal.line(terminal.style('dim', `  compared with the checkpoint of ${size} records ${where}`));
  }
  await printFindings(terminal, findings);
}

/** Records after the last signature are not counted here: nothing about them was verified. */
function extentOf({ records, covered_to, unsigned_tail, missing_records }: Report): string {
  const parts = [recordsText(records - unsigned_tail)];
  if (missing_records !== undefined) parts[0] += ` of ${records + missing_records}`;
  else if (covered_to !== null) parts.push(`signed up to #${covered_to}`);
  return parts.join(', ');
}

const recordsText = (count: number) => `${count} ${count === 1 ? 'record' : 'records'}`;

/** Most ranges in a line. */
const rangesShown = 10;

/** Says which records the verdict is about, and which it is not about. */
async function printRanges(
  terminal: Terminal,
  { covered, missing, missing_records, unsigned_tail, covered_to }: Report,
): Promise<void> {
  if (covered !== undefined && missing !== undefined) {
    await terminal.line(`  covered: ${rangesText(covered)}`);
    await terminal.line(`  missing: ${rangesText(missing)} (${recordsText(missing_records ?? 0)})`);
  }
  if (unsigned_tail > 0) {
    await terminal.line(
      `  ${recordsText(unsigned_tail)} after #${covered_to} not signed yet, so not verified`,
    );
  }
}

/** What is left of an epoch that a recovery closed. */
function closedText({ epoch, signed, records, lost, lost_records }: ClosedEpochReport): string {
  const what = `closed epoch ${epoch}: ${signed} records were signed`;
  const losses =
    lost_records === 0 ? 'none was lost' : `lost: ${rangesText(lost)} (${recordsText(lost_records)})`;
  return records === null
    ? `${what}, ${losses}; its records are not in this file`
    : `${what}, ${recordsText(records)} left and compared, ${losses}`;
}

function rangesText(ranges: readonly SequenceRange[]): string {
  const shown = ranges
    .slice(0, rangesShown)
    .map(([first, last]) => (first === last ? `#${first}` : `#${first}–#${last}`));
  if (ranges.length > rangesShown) shown.push('… (--json shows more)');
  return shown.length === 0 ? 'none' : shown.join(', ');
}

export async function printFindings(terminal: Terminal, findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) return;
  const columns = [
    { title: '  FINDING', value: ({ code }: Finding) => `  ${code}` },
    {
      title: 'RECORD',
      value: ({ sequence_number, epoch }: Finding) =>
        epoch === undefined ? (sequence_number ?? '-') : `${sequence_number ?? '-'} of epoch ${epoch}`,
      align: 'right' as const,
    },
    {
      title: 'EXPECTED',
      value: (finding: Finding) => missingRecords(finding) ?? finding.expected,
      flexible: true,
    },
    {
      title: 'FOUND',
      value: (finding: Finding) => (missingRecords(finding) === undefined ? finding.found : undefined),
      flexible: true,
    },
  ];
  await terminal.write(renderTable(terminal, columns, findings.slice(0, findingsShown)));
  if (findings.length > findingsShown) {
    await terminal.line(`  and ${findings.length - findingsShown} more; --json shows them all`);
  }
}
