import { expect, test } from 'vitest';
import { planActions, playbooks, selectPlaybook } from '../../src/orchestrator/playbooks.ts';
import type { Entity } from '../../src/platform/alert.ts';
import { createIds } from '../../src/platform/ids.ts';
import { seededRandom } from '../../src/platform/random.ts';

const entity = (kind: Entity['kind'], value: string): Entity => ({
  id: `${kind}:${value}`,
  kind,
  value,
  confidence: 1,
  where: '/',
});
const plan = (playbookId: string, recommended: string[], entities: Entity[]) =>
  planActions(
    playbooks.find(({ playbook_id }) => playbook_id === playbookId)!,
    recommended,
    entities,
    'inv-1',
    createIds({ now: () => 1 }, seededRandom(1)),
  ).map(({ kind, target }) => `${kind} ${target.id}`);

test.each([
  [['T1486'], 'pb-ransomware', []],
  [['T1003.001'], 'pb-credentials', []],
  [['T1110', 'T1071.004'], 'pb-credentials', ['pb-command-and-control']],
  [['T0855', 'T1110'], 'pb-plant-control', ['pb-credentials']],
  [['AML.T0051'], 'pb-general', []],
  [[], 'pb-general', []],
])('%j: %s', (techniques, playbookId, considered) => {
  const selected = selectPlaybook(techniques);
  expect(selected.playbook.playbook_id).toBe(playbookId);
  expect(selected.considered).toEqual(considered);
});

test('what the playbook always does, and what the model recommends of the rest', () => {
  expect(
    plan(
      'pb-credentials',
      ['revoke_sessions', 'stop_production_line'],
      [entity('host', 'h'), entity('account', 'a')],
    ),
  ).toEqual(['tag_host h', 'revoke_sessions a']);
});

test('an action without something to act on is left out; at most three of one kind', () => {
  expect(plan('pb-general', ['block_ip', 'isolate_host'], [])).toEqual(['notify_analyst inv-1']);
  const many = ['198.51.100.1', '198.51.100.2', '198.51.100.3', '198.51.100.4'].map((ip) => entity('ip', ip));
  expect(plan('pb-general', ['block_ip'], many)).toHaveLength(1 + 3);
});

test.each([
  '0.0.0.0',
  '0.0.0.0/0',
  '::',
  '::ffff:10.0.0.5',
  '100.64.0.1',
  '224.0.0.1',
  '255.255.255.255',
  'localhost',
  'ff02::1',
  '10.0.0.1',
  '172.16.3.4',
  '192.168.0.1',
  '127.0.0.1',
  '169.254.1.1',
  '::1',
  'fe80::1',
  'fd00::1',
])('%s is our own or no address: it is never blocked', (ip) => {
  expect(plan('pb-general', ['block_ip'], [entity('ip', ip)])).toEqual(['notify_analyst inv-1']);
});

test.each(['172.32.0.1', '198.51.100.7', '2001:db8::1'])('%s can be blocked', (ip) => {
  expect(plan('pb-general', ['block_ip'], [entity('ip', ip)])).toEqual([
    'notify_analyst inv-1',
    `block_ip ${ip}`,
  ]);
});
