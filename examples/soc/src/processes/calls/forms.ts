import { z } from 'zod';
import type { KillScope } from '../../platform/controls.ts';
import type { Lineage } from '../../platform/lineage.ts';
import { severities } from '../../platform/settings.ts';

/** An id, or a name. */
export const nameForm = z.string().min(1).max(500);

export const lineageForm = z.object({
  tenantId: nameForm,
  correlationId: nameForm,
  traceId: nameForm,
  spanId: nameForm.optional(),
  parentEventId: nameForm.optional(),
  alertId: nameForm.optional(),
  investigationId: nameForm.optional(),
}) satisfies z.ZodType<Lineage>;

export const scopeForm = z.object({
  kind: z.enum(['tenant', 'pattern', 'technique', 'source']),
  value: nameForm,
}) satisfies z.ZodType<KillScope>;

/** What a request for a model has in common with the call of a model. */
export const modelForm = {
  lineage: lineageForm,
  task: nameForm,
  severity: z.enum(severities),
  tenantTier: z.enum(['premium', 'standard', 'trial']),
  needsReasoning: z.boolean(),
  timeBudgetMs: z.number().positive().optional(),
  previousConfidence: z.number().min(0).max(1).optional(),
};

/** A person who decides, and why. */
export const personForm = { person: nameForm, lineage: lineageForm };
