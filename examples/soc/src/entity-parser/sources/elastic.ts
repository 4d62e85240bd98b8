/**
 * Detection alerts of Elastic Security, in Elastic Common Schema.
 * Fields: https://www.elastic.co/docs/reference/security/fields-and-object-schemas/alert-schema
 */
import { z } from 'zod';
import type { EntityKind } from '../../platform/alert.ts';
import type { FoundEntity } from '../entities.ts';
import { expandDots } from './expand-dots.ts';
import type { SourceAlert } from './source-alert.ts';
import { toUtc } from './times.ts';

const named = z.looseObject({ id: z.string(), name: z.string().optional() });
const technique = named.extend({ subtechnique: z.array(named).default([]) });
const threat = z.looseObject({ tactic: named.optional(), technique: z.array(technique).default([]) });

const alert = z.looseObject({
  '@timestamp': z.string(),
  kibana: z.looseObject({
    alert: z.looseObject({
      uuid: z.string().min(1).max(200),
      severity: z.enum(['critical', 'high', 'medium', 'low']),
      reason: z.string().default(''),
      rule: z.looseObject({
        name: z.string().min(1).max(2_000),
        description: z.string().default(''),
        threat: z.array(threat).default([]),
      }),
    }),
  }),
});

/** Where an alert names its entities. */
export const elasticFields: readonly [path: string, kind: EntityKind, role?: FoundEntity['role']][] = [
  ['source.ip', 'ip', 'source'],
  ['destination.ip', 'ip', 'destination'],
  ['host.ip', 'ip', 'target'],
  ['host.name', 'host', 'target'],
  ['user.name', 'account', 'actor'],
  ['user.target.name', 'account', 'target'],
  ['user.email', 'mailbox'],
  ['email.from.address', 'mailbox', 'source'],
  ['email.to.address', 'mailbox', 'destination'],
  ['file.path', 'file'],
  ['file.name', 'file'],
  ['file.hash.md5', 'filehash'],
  ['file.hash.sha1', 'filehash'],
  ['file.hash.sha256', 'filehash'],
  ['process.hash.sha256', 'filehash'],
  ['process.command_line', 'process'],
  ['process.executable', 'process'],
  ['url.full', 'url'],
  ['url.domain', 'dns'],
  ['dns.question.name', 'dns'],
  ['destination.domain', 'dns', 'destination'],
  ['registry.path', 'registry-key'],
  ['cloud.instance.id', 'cloud-resource'],
];

/** @throws {z.ZodError} for an alert that is not of this form */
export function readElastic(payload: unknown): SourceAlert {
  const document = expandDots(payload);
  const {
    '@timestamp': time,
    kibana: {
      alert: { uuid, severity, reason, rule },
    },
  } = alert.parse(document);
  return {
    sourceAlertId: uuid,
    time: toUtc(time),
    title: rule.name,
    description: [reason, rule.description].filter((part) => part !== '').join('\n'),
    severity,
    tactics: rule.threat.flatMap(({ tactic }) => tactic?.name ?? tactic?.id ?? []),
    techniques: rule.threat.flatMap(({ technique: techniques }) =>
      techniques.flatMap(({ id, subtechnique }) => [id, ...subtechnique.map((sub) => sub.id)]),
    ),
    product: 'Elastic Security',
    entities: elasticFields.flatMap(([path, kind, role]) =>
      valuesAt(document, path).map((value) => ({
        kind,
        value,
        confidence: 1,
        where: `/${path.replaceAll('.', '/')}`,
        role,
      })),
    ),
  };
}

/** The texts at a path. Any field of Elasticsearch may have several values. */
function valuesAt(document: unknown, path: string): string[] {
  let value = document;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
    value = (value as Record<string, unknown>)[name];
  }
  return (Array.isArray(value) ? value : [value]).filter((one): one is string => typeof one === 'string');
}
