/**
 * Issues of Snyk, as its REST API gives them (version 2024-10-15).
 * Fields: https://docs.snyk.io/snyk-api/reference/issues
 */
import { z } from 'zod';
import type { Finding } from './finding.ts';

const bySeverity = { critical: 0.9, high: 0.7, medium: 0.4, low: 0.15, info: 0.05 };

const issue = z.looseObject({
  id: z.string().min(1).max(200),
  attributes: z.looseObject({
    title: z.string().min(1).max(500),
    key: z.string().min(1).max(300),
    status: z.enum(['open', 'resolved']),
    effective_severity_level: z.enum(['critical', 'high', 'medium', 'low', 'info']),
    created_at: z.iso.datetime({ offset: true }),
    problems: z
      .array(z.looseObject({ id: z.string().max(200), source: z.string().max(100).optional() }))
      .default([]),
    risk: z.looseObject({ score: z.looseObject({ value: z.number().min(0).max(1_000) }) }).optional(),
  }),
  relationships: z.looseObject({
    scan_item: z.looseObject({ data: z.looseObject({ id: z.string().min(1).max(300) }) }),
  }),
});

/** @throws {z.ZodError} for an issue that is not of this form */
export function readSnyk(payload: unknown): Finding {
  const { attributes, relationships } = issue.parse(payload);
  const { title, key, status, effective_severity_level: severity, created_at, problems, risk } = attributes;
  const cve = problems.find(({ id }) => id.startsWith('CVE-'));
  return {
    title,
    // The CVE is the same in every scanner; the key is Snyk's own.
    weakness: cve?.id ?? key,
    asset: relationships.scan_item.data.id,
    exploitability: risk === undefined ? bySeverity[severity] : risk.score.value / 1_000,
    basis: risk === undefined ? `Snyk severity ${severity}` : `Snyk risk score ${risk.score.value} of 1000`,
    state: status,
    found_at: new Date(created_at).toISOString(),
  };
}
