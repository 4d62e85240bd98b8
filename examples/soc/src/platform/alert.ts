import type { Severity } from './settings.ts';

/** Products whose alerts the platform reads. */
export const alertSources = ['sentinel', 'elastic', 'suricata', 'wazuh'] as const;
export type AlertSource = (typeof alertSources)[number];

/** What a connector put on `alerts.raw`. Nothing in it is trusted: `source` may be unknown and `payload` may be anything. */
export interface RawAlert {
  readonly source: string;
  /** RFC 3339, UTC. */
  readonly received_at: string;
  readonly payload: unknown;
}

export const entityKinds = [
  'account',
  'host',
  'ip',
  'file',
  'filehash',
  'process',
  'url',
  'dns',
  'mailbox',
  'registry-key',
  'cloud-resource',
] as const;
export type EntityKind = (typeof entityKinds)[number];

export interface Entity {
  /** `<kind>:<normalised value>`. */
  readonly id: string;
  readonly kind: EntityKind;
  readonly value: string;
  /** 1 for a field of the source's schema; less for what a pattern found in text. */
  readonly confidence: number;
  /** JSON pointer of the value in the raw alert. */
  readonly where: string;
  readonly role?: 'source' | 'destination' | 'target' | 'actor' | undefined;
}

/** Text in an alert that reads like an instruction to a model. */
export interface InjectionSign {
  /** Name of the pattern. */
  readonly pattern: string;
  /** JSON pointer in the raw alert. */
  readonly where: string;
  /** How strongly the pattern suggests an injection. */
  readonly weight: number;
  /** How the text was hidden: base64, a file name, another script … */
  readonly encoding: 'plain' | 'base64' | 'hex' | 'url' | 'html' | 'invisible' | 'homoglyph';
}

/** A validated alert in one form for all sources: the value of `alerts.normalized`. */
export interface Alert {
  readonly alert_id: string;
  readonly tenant_id: string;
  readonly source: AlertSource;
  /** The id that the source gave it. */
  readonly source_alert_id: string;
  /** When it happened: RFC 3339, UTC. */
  readonly time: string;
  readonly title: string;
  readonly description: string;
  readonly severity: Severity;
  readonly tactics: readonly string[];
  /** ATT&CK or ATLAS technique ids, as the source named them. */
  readonly techniques: readonly string[];
  readonly product: string;
  readonly entities: readonly Entity[];
  readonly injection: readonly InjectionSign[];
  readonly raw: unknown;
}
