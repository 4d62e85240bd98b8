/**
 * Issues of Wiz, as its API and webhooks give them.
 * Fields: https://docs.wiz.io/docs/webhook-integration (the query `issues` of the GraphQL API)
 */
import { z } from 'zod';
import type { Finding } from './finding.ts';

const exploitability = { CRITICAL: 0.95, HIGH: 0.8, MEDIUM: 0.5, LOW: 0.2, INFORMATIONAL: 0.05 };

const issue = z.looseObject({
  id: z.string().min(1).max(200),
  createdAt: z.iso.datetime({ offset: true }),
  status: z.enum(['OPEN', 'IN_PROGRESS', 'RESOLVED', 'REJECTED']),
  severity: z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL']),
  sourceRule: z.looseObject({ id: z.string().min(1).max(200), name: z.string().min(1).max(500) }),
  entitySnapshot: z.looseObject({ name: z.string().min(1).max(300), type: z.string().max(100).optional() }),
});

/** @throws {z.ZodError} for an issue that is not of this form */
export function readWiz(payload: unknown): Finding {
  const { createdAt, status, severity, sourceRule, entitySnapshot } = issue.parse(payload);
  return {
    title: sourceRule.name,
    weakness: sourceRule.id,
    asset: entitySnapshot.name,
    exploitability: exploitability[severity],
    basis: `Wiz severity ${severity}`,
    state: status === 'RESOLVED' ? 'resolved' : 'open',
    found_at: new Date(createdAt).toISOString(),
  };
}
