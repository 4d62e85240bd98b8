import type { CorpusAlert } from '../corpus.ts';
import { elastic, sentinel } from '../forms.ts';
import { alertOf, at } from './alert-of.ts';
import { elasticAttacks } from './elastic.ts';
import { wazuhAttacks } from './wazuh.ts';

const wellFormed = wazuhAttacks.find(({ name }) => name === 'ssh-brute-force')!.payload as Record<
  string,
  unknown
>;

export const malformed: readonly CorpusAlert[] = [
  alertOf('malformed', 'no-title', 'sentinel', {
    ...sentinel({ title: 'x', description: '', severity: 'Low', time: at('09:00:01'), entities: [] }),
    AlertName: undefined,
  }),
  alertOf('malformed', 'entities-not-json', 'sentinel', {
    ...sentinel({ title: 'y', description: '', severity: 'Low', time: at('09:00:02'), entities: [] }),
    Entities: '[{"Type":',
  }),
  alertOf('malformed', 'unknown-severity', 'elastic', {
    ...elastic({ rule: 'r', description: '', reason: '', severity: 'low', time: at('09:00:03'), fields: {} }),
    'kibana.alert.severity': 'apocalyptic',
  }),
  alertOf('malformed', 'not-an-alert', 'suricata', {
    timestamp: at('09:00:04'),
    event_type: 'flow',
    src_ip: '10.0.0.1',
    dest_ip: '10.0.0.2',
  }),
  alertOf('malformed', 'no-such-day', 'wazuh', { ...wellFormed, timestamp: '2026-02-30T08:00:00.000+0000' }),
  alertOf('malformed', 'a-text', 'wazuh', 'rule 5712 fired'),
  alertOf('malformed', 'nothing', 'elastic', null),
  alertOf('malformed', 'unknown-source', 'splunk', wellFormed),
  alertOf('malformed', 'too-large', 'wazuh', { ...wellFormed, id: 'large', full_log: 'A'.repeat(300_000) }),
];

/** Alerts that were sent before. */
export const duplicates: readonly CorpusAlert[] = [
  alertOf('duplicate', 'ssh-brute-force-again', 'wazuh', wellFormed),
  alertOf(
    'duplicate',
    'lsass-dump-again',
    'elastic',
    elasticAttacks.find(({ name }) => name === 'lsass-dump')!.payload,
  ),
];

/** The tenant of the alert is not one that the platform serves. */
export const wrongTenant: readonly CorpusAlert[] = [
  alertOf('malformed', 'stranger', 'wazuh', { ...wellFormed, id: 'stranger.1' }, 'stranger'),
];
