import type { SelectionReport } from '@tallystick/verify';
import type { Context } from '../../context.ts';
import type { Equivocation } from '../../trust/equivocation.ts';
import type { ComparedCheckpoint } from '../../trust/trust-context.ts';
import { printFindings, verdictText } from './verify-report.ts';

/** One report on two pages of a list. A page that is not covered yet does not change the verdict on a covered page. */
export function joinReports(a: SelectionReport, b: SelectionReport): SelectionReport {
  const isProven = a.verified + a.hash_only + b.verified + b.hash_only > 0;
  const findings = [...a.findings, ...b.findings].filter(
    ({ code }, at, all) =>
      code !== 'NOTHING_COVERED' || (!isProven && all.findIndex((one) => one.code === code) === at),
  );
  const notCompared = [...new Set([...(a.not_compared ?? []), ...(b.not_compared ?? [])])];
  return {
    ...b,
    verdict: joinedVerdict(a, b, isProven),
    records: a.records + b.records,
    verified: a.verified + b.verified,
    hash_only: a.hash_only + b.hash_only,
    newer_than_checkpoint: a.newer_than_checkpoint + b.newer_than_checkpoint,
    in_other_epochs: a.in_other_epochs + b.in_other_epochs,
    findings,
    ...(notCompared.length > 0 && { not_compared: notCompared }),
  };
}

function joinedVerdict(
  a: SelectionReport,
  b: SelectionReport,
  isProven: boolean,
): SelectionReport['verdict'] {
  const reports = [a, b];
  for (const verdict of ['broken', 'not_verifiable'] as const) {
    const found = reports.filter((report) => report.verdict === verdict);
    const onlyUncovered = found.every(({ findings }) =>
      findings.every(({ code }) => code === 'NOTHING_COVERED'),
    );
    if (found.length > 0 && (verdict === 'broken' || !isProven || !onlyUncovered)) return verdict;
  }
  return reports.find(({ verdict }) => verdict !== 'not_verifiable')!.verdict;
}

/** What is known besides the report. */
interface SelectionContext {
  readonly compared?: readonly ComparedCheckpoint[];
  readonly equivocation?: Equivocation | undefined;
  /** Whether the line of JSON is `{"verification": …}`, because other lines come before it. @defaultValue false */
  readonly isLast?: boolean;
}

/** Prints the report as one line of JSON, or as a verdict with what it does not show. */
export async function printSelection(
  { terminal }: Context,
  report: SelectionReport,
  { compared = [], equivocation, isLast = false }: SelectionContext = {},
): Promise<void> {
  if (terminal.json) {
    const verification = {
      ...report,
      ...(compared.length > 0 && { held_against: compared }),
      ...(equivocation !== undefined && { equivocation }),
    };
    await terminal.jsonLine(isLast ? { verification } : verification);
    return;
  }
  const { verdict, tenant_id, verified, records, checkpoint_size } = report;
  const extent = `${verified} of ${records} records are in the tree of ${checkpoint_size}`;
  await terminal.line(`${verdictText(terminal, verdict)}  ${tenant_id}  ${extent}`);
  for (const text of limitsOf(report)) await terminal.line(`  ${text}`);
  const { source, keys } = report.trust;
  if (keys.length > 0) await terminal.line(terminal.style('dim', `  key ${source}: ${keys.join(', ')}`));
  for (const { size, kept_since, file } of compared) {
    const where = file === undefined ? `kept since ${kept_since?.slice(0, 10)}` : `in ${file}`;
    await terminal.line(terminal.style('dim', `  compared with the checkpoint of ${size} records ${where}`));
  }
  await printFindings(terminal, report.findings);
}

/** What the verdict does not show. */
function limitsOf(report: SelectionReport): string[] {
  const { hash_only, newer_than_checkpoint, in_other_epochs } = report;
  const limits = ['omissions not covered: events that match may have been left out'];
  if (hash_only > 0) limits.push(`${hash_only} sensitive: only the hash was checked`);
  if (newer_than_checkpoint > 0)
    limits.push(`${newer_than_checkpoint} newer than the checkpoint: not covered yet, so not verified`);
  if (in_other_epochs > 0)
    limits.push(`${in_other_epochs} of earlier epochs: the checkpoint does not cover them`);
  return limits;
}
