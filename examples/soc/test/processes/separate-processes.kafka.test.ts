import { tempDir, until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { CallRefused } from '../../src/processes/calls/call-client.ts';
import { serviceNames } from '../../src/processes/service-names.ts';
import { differences } from '../kills/compare.ts';
import { ObservedPlatform } from './observed-platform.ts';

const alertCount = 12;

test('services in separate processes record everything that happened, once, also if two of them are killed', {
  timeout: 300_000,
}, async () => {
  using directory = tempDir();
  const observed = await ObservedPlatform.start(directory.path, 11);
  const { log, feed, restarts, written, processes: platform } = observed;
  await observed.arrive(alertCount);
  await until(() => log.read().some(({ what }) => what === 'model called'), {
    timeoutMs: 60_000,
    what: 'the first call of a model',
  });
  await Promise.all([platform.supervisor.kill('orchestrator'), platform.supervisor.kill('context-gateway')]);
  await platform.supervisor.ready();
  await observed.finish();

  const lineage = feed.newLineage('acme');
  const kill = {
    scope: { kind: 'source', value: 'wazuh' },
    person: 'mia',
    reason: 'maintenance',
    lineage,
  };
  await platform.call('governance', 'activateKillSwitch', kill);
  await expect(platform.call('governance', 'activateKillSwitch', kill)).rejects.toThrow(CallRefused);
  const pids = serviceNames.map((name) => platform.supervisor.pidOf(name));
  const { stopped, happened, events } = await observed.stop();

  expect(restarts.toSorted()).toEqual(['context-gateway SIGKILL', 'orchestrator SIGKILL']);
  expect(new Set(pids).size).toBe(serviceNames.length);
  expect(Object.entries(stopped).filter(([, how]) => how !== 0)).toEqual([]);

  expect(happened.investigations).toHaveLength(alertCount);
  expect(differences(happened, events), written.join('')).toEqual([]);
  expect(new Set(events.map(({ event_type }) => event_type))).toContain('kill_switch.activated');
});
