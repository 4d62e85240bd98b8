import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createClient } from '@tallystick/client';
import type { EventView } from '@tallystick/protocol';
import { systemClock } from '@tallystick/sdk';
import { AuditService, serveHttp } from '@tallystick/server';
import { prepareEmbeddedStore, sharedKafka, tempDir, until } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { Feed } from '../../src/corpus/feed.ts';
import { generateAlerts } from '../../src/corpus/generator.ts';
import { DurableStore } from '../../src/platform/durable/store.ts';
import { createIds } from '../../src/platform/ids.ts';
import { KafkaTopics } from '../../src/platform/kafka/kafka-topics.ts';
import { createTopics } from '../../src/platform/kafka/topic-settings.ts';
import { CallClient } from '../../src/processes/calls/call-client.ts';
import { loopbackPorts } from '../../src/processes/loopback-ports.ts';
import type { ProcessStatus } from '../../src/processes/process-status.ts';
import { serviceNames } from '../../src/processes/service-names.ts';
import { SupervisedProcess } from '../../src/processes/supervised-process.ts';

const main = resolve(import.meta.dirname, '../../src/processes/main.ts');
const callKey = 'a-text-that-only-this-test-knows';
const service = 'entity-parser';
/** As the supervisor: a process that takes longer gets SIGKILL. */
const stopMs = 40_000;

test('SIGTERM while the audit service is away: the process ends in time, keeps its records, and delivers them after the restart', {
  timeout: 300_000,
}, async () => {
  using directory = tempDir();
  const data = join(directory.path, 'audit');
  const services = join(directory.path, 'services');
  mkdirSync(services);
  await prepareEmbeddedStore(data);
  const signerDirectory = join(directory.path, 'signer');
  const openAudit = async (port: number) => {
    const audit = await AuditService.open({
      store: { directory: data },
      signerDirectory,
      logName: 'away.test',
    });
    const server = await serveHttp(audit, { port, logger: false });
    const close = async () => {
      await server.close();
      await audit.close();
    };
    return { audit, url: server.url, close };
  };
  const first = await openAudit(0);
  const { url } = first;
  const { key: apiKey } = await first.audit.keys.create({ name: service, scopes: ['events:write'] });
  const { key: readKey } = await first.audit.keys.create({ name: 'reader', scopes: ['events:read'] });

  const { bootstrap } = await sharedKafka();
  const kafka = { brokers: [...bootstrap], prefix: `soc-away-${process.pid}.`, sessionTimeoutMs: 2_000 };
  await createTopics(kafka.brokers, kafka.prefix);
  const found = await loopbackPorts(serviceNames.length);
  const ports = Object.fromEntries(serviceNames.map((name, at) => [name, found[at]!]));
  const file = join(services, 'platform.json');
  const tenants = [{ id: 'acme', tier: 'premium', shadow: false }];
  writeFileSync(file, JSON.stringify({ kafka, audit: { url }, directory: services, ports, tenants }));
  const written: string[] = [];
  const parser = () =>
    new SupervisedProcess({
      ...{ name: service, program: main, args: [service, '--platform', file], stopMs },
      env: { ...process.env, TALLYSTICK_API_KEY: apiKey, SOC_CALL_KEY: callKey },
      onOutput: (text) => void written.push(text),
      onRestart: (how) => void written.push(`ended by itself: ${how}`),
    });
  const calls = new CallClient({ url: `http://127.0.0.1:${ports[service]}`, key: callKey });
  const recordsThatWait = async () => {
    const status = (await calls.call('status', null, 5_000).catch(() => undefined)) as
      | ProcessStatus
      | undefined;
    return status?.records ?? -1;
  };
  const topics = new KafkaTopics(kafka);
  const feed = new Feed(topics, createIds(systemClock));
  const alerts = generateAlerts({ seed: 3, tenants: ['acme'], from: Date.parse('2026-11-20T10:00:00Z') });

  const running = parser();
  running.start();
  await running.ready();
  await first.close();
  for (let number = 0; number < 5; number++) await feed.alert(alerts.next().value);
  await until(async () => (await recordsThatWait()) >= 5, {
    what: 'five records that wait',
    timeoutMs: 60_000,
  });
  const begun = performance.now();
  // It says that something stays on disk: 1. A process that had to be killed would say SIGKILL.
  expect(await running.stop(), written.join('')).toBe(1);
  expect(performance.now() - begun).toBeLessThan(stopMs);
  expect(written.join('')).toContain('stay on disk for the next start');
  const kept = new DurableStore(join(services, service));
  const waiting = kept.query<{ audit_id: string }>('select audit_id from events').map((row) => row.audit_id);
  kept.close();
  expect(waiting.length).toBeGreaterThanOrEqual(5);

  const second = await openAudit(Number(new URL(url).port));
  const successor = parser();
  successor.start();
  await successor.ready();
  await until(async () => (await recordsThatWait()) === 0, {
    what: 'no record that waits',
    timeoutMs: 60_000,
  });
  expect(await successor.stop(), written.join('')).toBe(0);
  await topics.close();
  const reader = createClient({ url: second.url, apiKey: readKey });
  const arrived: EventView[] = [];
  for await (const event of reader.events.listAll({ tenant_id: 'acme' })) arrived.push(event);
  const own = arrived.filter(({ source_service }) => source_service === service);
  expect(own.map(({ audit_id }) => audit_id).toSorted()).toEqual(waiting.toSorted());
  // Nothing was lost, and no record says that something was.
  const others = arrived.filter((event) => !own.includes(event)).map(({ event_type }) => event_type);
  expect(others).toEqual(['system.genesis']);
  expect(written.join('')).not.toContain('ended by itself');
  await second.close();
});
