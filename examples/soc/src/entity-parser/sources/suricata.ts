/**
 * Alerts in EVE JSON, the output of Suricata.
 * Fields: https://docs.suricata.io/en/latest/output/eve/eve-json-format.html
 */
import { z } from 'zod';
import type { Severity } from '../../platform/settings.ts';
import type { FoundEntity } from '../entities.ts';
import type { SourceAlert } from './source-alert.ts';
import { toUtc } from './times.ts';

/** Priorities of rules: 1 is the most severe. */
const severities: readonly Severity[] = ['informational', 'high', 'medium', 'low', 'informational'];

const port = z.number().int().min(0).max(65_535).optional();
const names = z.array(z.looseObject({ rrname: z.string().optional() }));
const eve = z.looseObject({
  timestamp: z.string(),
  event_type: z.literal('alert'),
  flow_id: z.number().optional(),
  src_ip: z.union([z.ipv4(), z.ipv6()]),
  src_port: port,
  dest_ip: z.union([z.ipv4(), z.ipv6()]),
  dest_port: port,
  proto: z.string().max(32),
  alert: z.looseObject({
    signature_id: z.number().int(),
    signature: z.string().min(1).max(2_000),
    category: z.string().default(''),
    severity: z.number().int().min(1).max(255),
    metadata: z.record(z.string(), z.array(z.string())).default({}),
  }),
  http: z.looseObject({ hostname: z.string().optional(), url: z.string().optional() }).optional(),
  tls: z.looseObject({ sni: z.string().optional() }).optional(),
  /** Suricata 8 writes `queries` (version 3 of the DNS log), Suricata 7 `query`. */
  dns: z.looseObject({ queries: names.optional(), query: names.optional() }).optional(),
  files: z
    .array(
      z.looseObject({
        filename: z.string().optional(),
        sha256: z.string().optional(),
        sha1: z.string().optional(),
        md5: z.string().optional(),
      }),
    )
    .default([]),
});

/** @throws {z.ZodError} for an event that is not an alert of this form */
export function readSuricata(payload: unknown): SourceAlert {
  const event = eve.parse(payload);
  const { alert, http, tls, dns, files } = event;
  const time = toUtc(event.timestamp);
  const found = (
    kind: FoundEntity['kind'],
    where: string,
    value: string | undefined,
    role?: FoundEntity['role'],
  ) => (value === undefined ? [] : [{ kind, value, where, confidence: 1, role }]);
  const url =
    http?.hostname !== undefined && http.url !== undefined ? `http://${http.hostname}${http.url}` : undefined;
  return {
    // EVE gives alerts no id of their own: one flow can match one rule many times.
    sourceAlertId: [event.flow_id ?? `${event.src_ip}-${event.dest_ip}`, alert.signature_id, time].join('/'),
    time,
    title: alert.signature,
    description: [
      alert.category,
      `${event.proto} ${addressOf(event.src_ip, event.src_port)} to ${addressOf(event.dest_ip, event.dest_port)}`,
    ]
      .filter((part) => part !== '')
      .join(': '),
    severity: severities[alert.severity] ?? 'informational',
    tactics: alert.metadata.mitre_tactic_id ?? [],
    techniques: alert.metadata.mitre_technique_id ?? [],
    product: 'Suricata',
    entities: [
      ...found('ip', '/src_ip', event.src_ip, 'source'),
      ...found('ip', '/dest_ip', event.dest_ip, 'destination'),
      ...found('dns', '/http/hostname', http?.hostname, 'destination'),
      ...found('url', '/http/url', url),
      ...found('dns', '/tls/sni', tls?.sni, 'destination'),
      ...(['queries', 'query'] as const).flatMap((name) =>
        (dns?.[name] ?? []).flatMap(({ rrname }, at) => found('dns', `/dns/${name}/${at}/rrname`, rrname)),
      ),
      ...files.flatMap(({ filename, sha256, sha1, md5 }, at) => [
        ...found('file', `/files/${at}/filename`, filename),
        ...found('filehash', `/files/${at}/sha256`, sha256),
        ...found('filehash', `/files/${at}/sha1`, sha1),
        ...found('filehash', `/files/${at}/md5`, md5),
      ]),
    ],
  };
}

function addressOf(ip: string, port: number | undefined): string {
  if (port === undefined) return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
