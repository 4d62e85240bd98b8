import type { Finding, Report } from '@tallystick/verify';

/** A report on a trail of which nothing was read. */
export function unread(tenantId: string): Report {
  return {
    verdict: 'not_verifiable',
    tenant_id: tenantId,
    records: 0,
    covered_to: null,
    unsigned_tail: 0,
    head: null,
    trust: { source: 'none', keys: [] },
    findings: [],
  };
}

/** The report with what other checks found. Any finding makes the verdict `broken`. */
export function withFindings(report: Report, more: readonly Finding[]): Report {
  const nameOf = ({ code, sequence_number, epoch }: Finding) => `${code} ${epoch}/${sequence_number}`;
  const known = new Set(report.findings.map(nameOf));
  const added = more.filter((finding) => !known.has(nameOf(finding)));
  if (added.length === 0) return report;
  // A broken report does not say what a signature covers.
  return {
    ...report,
    verdict: 'broken',
    covered_to: null,
    unsigned_tail: 0,
    findings: [...report.findings, ...added],
  };
}
