/**
 * Rows of the table SecurityAlert of Microsoft Sentinel.
 * Fields: https://learn.microsoft.com/azure/azure-monitor/reference/tables/securityalert
 * Entities: https://learn.microsoft.com/azure/sentinel/entities-reference
 */
import { z } from 'zod';
import type { Severity } from '../../platform/settings.ts';
import { sentinelEntities } from './sentinel-entities.ts';
import type { SourceAlert } from './source-alert.ts';
import { toUtc } from './times.ts';

const severities: Record<string, Severity> = {
  high: 'high',
  medium: 'medium',
  low: 'low',
  informational: 'informational',
};

const row = z.looseObject({
  SystemAlertId: z.string().min(1).max(200),
  TimeGenerated: z.string(),
  StartTime: z.string().optional(),
  DisplayName: z.string().max(2_000).optional(),
  AlertName: z.string().max(2_000),
  Description: z.string().default(''),
  AlertSeverity: z.string().transform((value, context) => {
    const severity = severities[value.toLowerCase()];
    if (severity !== undefined) return severity;
    context.addIssue({ code: 'custom', message: 'is not High, Medium, Low or Informational' });
    return z.NEVER;
  }),
  /** Names, separated by commas. */
  Tactics: z.string().default(''),
  /** A JSON array in a string, or an array. */
  Techniques: z.union([z.string(), z.array(z.string())]).default([]),
  /** The same for techniques such as `T1059.001`. */
  SubTechniques: z.union([z.string(), z.array(z.string())]).default([]),
  ProductName: z.string().default('Microsoft Sentinel'),
  /** A JSON array in a string, or an array. */
  Entities: z.union([z.string(), z.array(z.unknown())]).default([]),
});

/** @throws {z.ZodError} for a row that is not of this form */
export function readSentinel(payload: unknown): SourceAlert {
  const alert = row.parse(payload);
  return {
    sourceAlertId: alert.SystemAlertId,
    time: toUtc(alert.StartTime ?? alert.TimeGenerated),
    title: alert.DisplayName ?? alert.AlertName,
    description: alert.Description,
    severity: alert.AlertSeverity,
    tactics: alert.Tactics.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    techniques: [alert.Techniques, alert.SubTechniques].flatMap((names) =>
      z.array(z.string()).parse(unwrap(names)),
    ),
    product: alert.ProductName,
    entities: sentinelEntities(z.array(z.unknown()).parse(unwrap(alert.Entities))),
  };
}

/** Log Analytics stores arrays as JSON text. */
function unwrap(value: string | readonly unknown[]): unknown {
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return [];
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
