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
  const { feed, restarts, written, processes: platform } = observed;
  await observed.arrive(alertCount);
  const killed = ['context-gateway', 'orchestrator'] as const;
  const haveRecorded = async () => {
    const known = new Set((await observed.producers()).map(({ service }) => service));
    return killed.every((name) => known.has(name));
  };
  await until(haveRecorded, { timeoutMs: 60_000, what: 'records of both services' });
  await Promise.all(killed.map((name) => platform.supervisor.kill(name)));
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
  const { stopped, happened, events, producers } = await observed.stop();

  expect(restarts.toSorted()).toEqual(['context-gateway SIGKILL', 'orchestrator SIGKILL']);
  // The killed processes declared no end. All others did, with those that were started in their place.
  const silent = producers.filter(({ state }) => state !== 'closed');
  expect(silent.filter(({ final_seq }) => final_seq !== null)).toEqual([]);
  expect([...new Set(silent.map(({ service }) => service))].toSorted()).toEqual(killed);
  const ended = new Set(producers.filter(({ state }) => state === 'closed').map(({ service }) => service));
  expect([...ended]).toEqual(expect.arrayContaining(['orchestrator', 'context-gateway']));

  expect(new Set(pids).size).toBe(serviceNames.length);
  expect(Object.entries(stopped).filter(([, how]) => how !== 0)).toEqual([]);

  expect(happened.investigations).toHaveLength(alertCount);
  expect(differences(happened, events), written.join('')).toEqual([]);
  expect(new Set(events.map(({ event_type }) => event_type))).toContain('kill_switch.activated');
});
