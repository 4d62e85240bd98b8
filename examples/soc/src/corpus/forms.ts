/** The forms of the four products, filled with what a scenario says. Everything else is as the products write it by default. */
import { createHash } from 'node:crypto';
import { techniqueNames } from '../platform/techniques.ts';

/** Ids that depend on the scenario alone, so that the corpus is the same everywhere. */
function idOf(...parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function uuidOf(...parts: readonly unknown[]): string {
  const hash = idOf(...parts);
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** `T1059` for `T1059.001`. */
function parentOf(technique: string): string {
  return technique.split('.')[0]!;
}

export interface SentinelScenario {
  readonly title: string;
  readonly description: string;
  readonly severity: 'High' | 'Medium' | 'Low' | 'Informational';
  readonly tactics?: string;
  readonly techniques?: readonly string[];
  readonly time: string;
  readonly entities: readonly Readonly<Record<string, unknown>>[];
}

/** A row of the table SecurityAlert. */
export function sentinel(scenario: SentinelScenario): Record<string, unknown> {
  const { title, description, severity, tactics = '', techniques = [], time, entities } = scenario;
  return {
    TenantId: '6f1d0c7e-4a51-4a3b-9d52-1f0a6a3b7c10',
    TimeGenerated: time,
    StartTime: time,
    EndTime: time,
    DisplayName: title,
    AlertName: title,
    AlertSeverity: severity,
    Description: description,
    ProviderName: 'ASI Scheduled Alerts',
    VendorName: 'Microsoft',
    ProductName: 'Azure Sentinel',
    SystemAlertId: uuidOf('sentinel', title, time, entities),
    Status: 'New',
    Tactics: tactics,
    Techniques: JSON.stringify([...new Set(techniques.map(parentOf))]),
    SubTechniques: JSON.stringify(techniques.filter((id) => id.includes('.'))),
    Entities: JSON.stringify(entities.map((entity, at) => ({ $id: String(at + 2), ...entity }))),
  };
}

export interface ElasticScenario {
  readonly rule: string;
  readonly description: string;
  readonly reason: string;
  readonly severity: 'critical' | 'high' | 'medium' | 'low';
  /** @defaultValue Execution */
  readonly tactic?: readonly [id: string, name: string];
  readonly techniques?: readonly string[];
  readonly time: string;
  /** Fields of Elastic Common Schema, with dots. */
  readonly fields: Readonly<Record<string, unknown>>;
}

function named(technique: string) {
  const reference = `https://attack.mitre.org/techniques/${technique.replace('.', '/')}/`;
  return { id: technique, name: techniqueNames[technique], reference };
}

/** A detection alert of Elastic Security, as the search API returns its source. */
export function elastic(scenario: ElasticScenario): Record<string, unknown> {
  const { rule, description, reason, severity, techniques = [], time, fields } = scenario;
  const { tactic = ['TA0002', 'Execution'] } = scenario;
  return {
    '@timestamp': time,
    'kibana.alert.uuid': idOf('elastic', rule, time, fields),
    'kibana.alert.severity': severity,
    'kibana.alert.reason': reason,
    'kibana.alert.status': 'active',
    'kibana.alert.workflow_status': 'open',
    'kibana.alert.rule.uuid': uuidOf('rule', rule),
    'kibana.alert.rule.name': rule,
    'kibana.alert.rule.description': description,
    'kibana.alert.rule.threat': techniques.map((id) => ({
      framework: 'MITRE ATT&CK',
      tactic: { id: tactic[0], name: tactic[1], reference: `https://attack.mitre.org/tactics/${tactic[0]}/` },
      technique: [{ ...named(parentOf(id)), ...(id.includes('.') && { subtechnique: [named(id)] }) }],
    })),
    'event.kind': 'signal',
    ...fields,
  };
}

export interface SuricataScenario {
  readonly signature: string;
  readonly signatureId: number;
  readonly category: string;
  readonly severity: 1 | 2 | 3;
  readonly techniques?: readonly string[];
  readonly time: string;
  readonly from: readonly [ip: string, port: number];
  readonly to: readonly [ip: string, port: number];
  readonly more?: Readonly<Record<string, unknown>>;
}

/** An alert event of EVE JSON. */
export function suricata(scenario: SuricataScenario): Record<string, unknown> {
  const { signature, signatureId, category, severity, techniques = [], time, from, to, more = {} } = scenario;
  return {
    timestamp: time.replace('Z', '000+0000'),
    flow_id: Number.parseInt(idOf(signatureId, time, from, to).slice(0, 12), 16),
    in_iface: 'eth0',
    event_type: 'alert',
    src_ip: from[0],
    src_port: from[1],
    dest_ip: to[0],
    dest_port: to[1],
    proto: 'TCP',
    alert: {
      action: 'allowed',
      gid: 1,
      signature_id: signatureId,
      rev: 1,
      signature,
      category,
      severity,
      ...(techniques.length > 0 && { metadata: { mitre_technique_id: techniques } }),
    },
    ...more,
  };
}

export interface WazuhScenario {
  readonly ruleId: string;
  readonly level: number;
  readonly description: string;
  readonly groups: readonly string[];
  readonly techniques?: readonly string[];
  readonly tactics?: readonly string[];
  readonly time: string;
  readonly agent: readonly [name: string, ip: string];
  readonly log: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A line of alerts.json. */
export function wazuh(scenario: WazuhScenario): Record<string, unknown> {
  const {
    ruleId,
    level,
    description,
    groups,
    techniques = [],
    tactics = [],
    time,
    agent,
    log,
    data,
    more = {},
  } = scenario;
  const number = Number.parseInt(idOf(ruleId, time, agent, log).slice(0, 8), 16);
  return {
    timestamp: time.replace('Z', '+0000'),
    rule: {
      level,
      description,
      id: ruleId,
      firedtimes: 1,
      mail: level >= 12,
      groups,
      ...(techniques.length > 0 && {
        mitre: { id: techniques, tactic: tactics, technique: techniques.map((id) => techniqueNames[id]) },
      }),
    },
    agent: { id: String(number % 1_000).padStart(3, '0'), name: agent[0], ip: agent[1] },
    manager: { name: 'wazuh-manager' },
    id: `${Math.floor(Date.parse(time) / 1_000)}.${number}`,
    full_log: log,
    decoder: { name: groups[0] },
    ...(data !== undefined && { data }),
    location: '/var/log/syslog',
    ...more,
  };
}
