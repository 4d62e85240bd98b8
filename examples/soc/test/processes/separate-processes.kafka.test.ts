import { join } from 'node:path';
import { createClient } from '@tallystick/client';
import type { Approval, EventView } from '@tallystick/protocol';
import { systemClock } from '@tallystick/sdk';
import { AuditService, serveHttp } from '@tallystick/server';
import { prepareEmbeddedStore, sharedKafka, tempDir, until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { Feed } from '../../src/corpus/feed.ts';
import { generateAlerts } from '../../src/corpus/generator.ts';
import type { StoredInvestigation } from '../../src/orchestrator/investigation-states.ts';
import { DurableDocuments } from '../../src/platform/durable/durable-documents.ts';
import { DurableStore } from '../../src/platform/durable/store.ts';
import { createIds } from '../../src/platform/ids.ts';
import { KafkaTopics } from '../../src/platform/kafka/kafka-topics.ts';
import { CallRefused } from '../../src/processes/calls/call-client.ts';
import { SeparateProcesses } from '../../src/processes/separate-processes.ts';
import { serviceNames } from '../../src/processes/service-names.ts';
import { differences } from '../kills/compare.ts';
import { ObserverLog } from '../kills/observer-log.ts';
import { People } from '../kills/people.ts';

const tenants = ['acme', 'globex'];
const alertCount = 12;

test('services in separate processes record everything that happened, once, also if two of them are killed', {
  timeout: 300_000,
}, async () => {
  using directory = tempDir();
  const data = join(directory.path, 'audit');
  const soc = join(directory.path, 'soc');
  const prefix = `soc-processes-${process.pid}.`;
  const { bootstrap: brokers } = await sharedKafka();
  await prepareEmbeddedStore(data);
  const service = await AuditService.open({
    store: { directory: data },
    signerDirectory: join(directory.path, 'signer'),
    logName: 'processes.example.com',
  });
  const server = await serveHttp(service, { port: 0, logger: false });
  const { url } = server;
  const clientOf = async (name: string, scopes: Parameters<typeof service.keys.create>[0]['scopes']) => {
    const { key } = await service.keys.create({ name, subject: name, scopes });
    return createClient({ url, apiKey: key });
  };
  const admin = await clientOf('admin', ['admin']);
  const persons = await Promise.all(['mia', 'jo'].map((name) => clientOf(name, ['approvals:decide'])));

  const restarts: string[] = [];
  const written: string[] = [];
  const platform = await SeparateProcesses.start({
    admin,
    program: join(import.meta.dirname, 'observed-service.ts'),
    platform: {
      kafka: { brokers: [...brokers], prefix, sessionTimeoutMs: 2_000 },
      audit: { url },
      directory: soc,
      tenants: tenants.map((id) => ({ id, tier: 'premium', shadow: false })),
      thresholds: { 'governance.accumulation.maxActions': 1_000_000, 'response.retryMs': 100 },
    },
    onRestart: (name, how) => void restarts.push(`${name} ${how}`),
    onOutput: (_service, text) => void written.push(text),
  });
  const people = new People(persons, tenants);
  const topics = new KafkaTopics({ brokers, prefix });
  const feed = new Feed(topics, createIds(systemClock));
  const log = new ObserverLog(join(soc, 'observed'));
  const alerts = generateAlerts({ seed: 11, tenants, from: Date.parse('2026-11-20T10:00:00Z') });
  for (let number = 0; number < alertCount; number++) {
    const alert = alerts.next().value;
    await feed.alert(alert);
    log.write({ what: 'fed', name: alert.name });
  }
  await until(() => log.read().some(({ what }) => what === 'model called'), {
    timeoutMs: 60_000,
    what: 'the first call of a model',
  });
  await Promise.all([platform.supervisor.kill('orchestrator'), platform.supervisor.kill('context-gateway')]);
  await platform.supervisor.ready();
  // People decide beside it, and one decision may lead to the next.
  do await platform.settled();
  while ((await platform.openPlans()) > 0);
  await platform.call('batch-scheduler', 'flush');
  await platform.settled();

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
  const stopped = await platform.stop();
  await people.stop();
  await topics.close();

  expect(restarts.toSorted()).toEqual(['context-gateway SIGKILL', 'orchestrator SIGKILL']);
  expect(new Set(pids).size).toBe(serviceNames.length);
  expect(Object.entries(stopped).filter(([, how]) => how !== 0)).toEqual([]);

  const events: EventView[] = [];
  const approvals: Approval[] = [];
  for (const tenant_id of tenants) {
    for await (const event of admin.events.listAll({ tenant_id, order: 'asc' })) events.push(event);
    for await (const approval of admin.approvals.listAll({ tenant_id })) approvals.push(approval);
  }
  await server.close();
  await service.close();
  const store = new DurableStore(join(soc, 'orchestrator'));
  const stored = new DurableDocuments<StoredInvestigation>(store, 'investigations');
  const investigations = (await Promise.all(tenants.map((id) => stored.list(id)))).flat();
  store.close();
  const happened = {
    observed: log.read(),
    investigations: investigations.map(({ investigation }) => investigation),
    approvals: approvals.length,
  };
  expect(investigations).toHaveLength(alertCount);
  expect(differences(happened, events), written.join('')).toEqual([]);
  expect(new Set(events.map(({ event_type }) => event_type))).toContain('kill_switch.activated');
});
