import { z } from 'zod';
import type { KillScope } from '../../platform/controls.ts';
import type { Lineage } from '../../platform/lineage.ts';
import { modelTiers } from '../../platform/reasoning.ts';
import { severities } from '../../platform/settings.ts';

const name = z.string().min(1).max(500);

export const lineageForm = z.object({
  tenantId: name,
  correlationId: name,
  traceId: name,
  spanId: name.optional(),
  parentEventId: name.optional(),
  alertId: name.optional(),
  investigationId: name.optional(),
}) satisfies z.ZodType<Lineage>;

export const scopeForm = z.object({
  kind: z.enum(['tenant', 'pattern', 'technique', 'source']),
  value: name,
}) satisfies z.ZodType<KillScope>;

/** What a request for a model has in common with the call of a model. */
export const modelForm = {
  lineage: lineageForm,
  task: name,
  severity: z.enum(severities),
  tenantTier: z.enum(['premium', 'standard', 'trial']),
  needsReasoning: z.boolean(),
  timeBudgetMs: z.number().positive().optional(),
  previousConfidence: z.number().min(0).max(1).optional(),
};

/** A person who decides, and why. */
export const personForm = { person: name, lineage: lineageForm };

export const tierForm = z.enum(modelTiers);
export { name as nameForm };
