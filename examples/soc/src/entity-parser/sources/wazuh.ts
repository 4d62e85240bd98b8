/**
 * Alerts of Wazuh (alerts.json).
 * Fields: https://documentation.wazuh.com/current/user-manual/manager/alert-management.html
 * Levels: https://documentation.wazuh.com/current/user-manual/ruleset/rules/rules-classification.html
 */
import { z } from 'zod';
import type { EntityKind } from '../../platform/alert.ts';
import type { Severity } from '../../platform/settings.ts';
import type { FoundEntity } from '../entities.ts';
import type { SourceAlert } from './source-alert.ts';
import { toUtc } from './times.ts';

const names = z.array(z.string()).default([]);
const alert = z.looseObject({
  id: z.string().min(1).max(200),
  timestamp: z.string(),
  rule: z.looseObject({
    id: z.string(),
    level: z.number().int().min(0).max(16),
    description: z.string().min(1).max(2_000),
    groups: names,
    mitre: z.looseObject({ id: names, tactic: names }).optional(),
  }),
  agent: z.looseObject({ id: z.string(), name: z.string().optional(), ip: z.string().optional() }),
  full_log: z.string().default(''),
});

/** Where an alert names its entities. `data` has the fields that a decoder found in the log line. */
export const wazuhFields: readonly [path: string, kind: EntityKind, role?: FoundEntity['role']][] = [
  ['agent.name', 'host', 'target'],
  ['agent.ip', 'ip', 'target'],
  ['data.srcip', 'ip', 'source'],
  ['data.dstip', 'ip', 'destination'],
  ['data.srcuser', 'account', 'actor'],
  ['data.dstuser', 'account', 'target'],
  ['data.url', 'url'],
  ['predecoder.hostname', 'host'],
  ['data.win.eventdata.image', 'process'],
  ['data.win.eventdata.commandLine', 'process'],
  ['data.win.eventdata.targetUserName', 'account', 'target'],
  ['data.win.eventdata.ipAddress', 'ip', 'source'],
  ['syscheck.path', 'file'],
  ['syscheck.md5_after', 'filehash'],
  ['syscheck.sha1_after', 'filehash'],
  ['syscheck.sha256_after', 'filehash'],
];

/** @throws {z.ZodError} for an alert that is not of this form */
export function readWazuh(payload: unknown): SourceAlert {
  const { id, timestamp, rule, full_log } = alert.parse(payload);
  return {
    sourceAlertId: id,
    time: toUtc(timestamp),
    title: rule.description,
    description: full_log,
    severity: severityOf(rule.level),
    tactics: rule.mitre?.tactic ?? [],
    techniques: rule.mitre?.id ?? [],
    product: 'Wazuh',
    entities: wazuhFields.flatMap(([path, kind, role]) => {
      const value = textAt(payload, path);
      return value === undefined
        ? []
        : [{ kind, value, confidence: 1, where: `/${path.replaceAll('.', '/')}`, role }];
    }),
  };
}

function severityOf(level: number): Severity {
  if (level >= 15) return 'critical';
  if (level >= 12) return 'high';
  if (level >= 7) return 'medium';
  return level >= 4 ? 'low' : 'informational';
}

function textAt(document: unknown, path: string): string | undefined {
  let value = document;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return typeof value === 'string' ? value : undefined;
}
