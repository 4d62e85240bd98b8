import { expect, test } from 'vitest';
import { corpusAlerts } from '../../src/corpus/alerts.ts';
import { corpusFindings } from '../../src/corpus/findings.ts';
import { generateAlerts } from '../../src/corpus/generator.ts';
import { elasticFields } from '../../src/entity-parser/sources/elastic.ts';
import { wazuhFields } from '../../src/entity-parser/sources/wazuh.ts';
import {
  elasticNames,
  findingNames,
  sentinelColumns,
  sentinelEntityMembers,
  suricataNames,
  wazuhNames,
} from './documented-fields.ts';

/** The paths of all values, without places in lists. */
function pathsIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((one) => pathsIn(one, path));
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([name, member]) =>
    pathsIn(member, path === '' ? name : `${path}.${name}`),
  );
}

const generator = generateAlerts({ seed: 7, tenants: ['acme'], from: Date.parse('2026-11-20T12:00:00Z') });
const generated = Array.from({ length: 200 }, () => generator.next().value);
const alertsOf = (source: string) =>
  [...corpusAlerts, ...generated].filter((alert) => alert.source === source && alert.kind !== 'malformed');

test.each([
  ['sentinel', sentinelColumns],
  ['elastic', elasticNames],
  ['suricata', suricataNames],
  ['wazuh', wazuhNames],
])('alerts of %s have only fields that the vendor documents', (source, documented) => {
  const used = new Set(alertsOf(source).flatMap(({ payload }) => pathsIn(payload)));
  expect([...used].filter((name) => !documented.includes(name))).toEqual([]);
  expect(used.size).toBeGreaterThan(10);
});

test('entities of Sentinel have only members that Microsoft documents for their type', () => {
  const types = new Set<string>();
  for (const { payload } of alertsOf('sentinel')) {
    for (const entity of JSON.parse((payload as { Entities: string }).Entities) as Record<
      string,
      unknown
    >[]) {
      const { $id: _id, Type: type, ...members } = entity;
      types.add(type as string);
      const documented = sentinelEntityMembers[type as string] ?? [];
      expect(Object.keys(members).filter((name) => !documented.includes(name))).toEqual([]);
    }
  }
  expect(types.size).toBeGreaterThan(6);
});

test('a sub-technique is in the column SubTechniques, and its technique in Techniques', () => {
  const columns = alertsOf('sentinel').map(({ payload }) => payload as Record<string, string>);
  for (const { Techniques, SubTechniques } of columns) {
    const techniques = JSON.parse(Techniques!) as string[];
    expect(techniques.filter((id) => id.includes('.'))).toEqual([]);
    for (const id of JSON.parse(SubTechniques!) as string[]) expect(techniques).toContain(id.split('.')[0]);
  }
});

test('the readers look for entities in documented fields', () => {
  const pathsOf = (fields: readonly (readonly [string, ...unknown[]])[]) => fields.map(([path]) => path);
  expect(pathsOf(elasticFields).filter((path) => !elasticNames.includes(path))).toEqual([]);
  expect(pathsOf(wazuhFields).filter((path) => !wazuhNames.includes(path))).toEqual([]);
});

test.each(['wiz', 'snyk', 'garak', 'art'] as const)(
  'findings of %s have only documented fields',
  (source) => {
    const used = corpusFindings
      .filter((finding) => finding.source === source && finding.name !== 'no-target')
      .flatMap(({ payload }) => pathsIn(payload));
    expect([...new Set(used)].filter((name) => !findingNames[source].includes(name))).toEqual([]);
    expect(used.length).toBeGreaterThan(0);
  },
);
