import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, createClient } from '@tallystick/client';
import { canonicalize, uuidv7 } from '@tallystick/event';
import type { Approval } from '@tallystick/protocol';
import { AuditService } from '@tallystick/server';
import { serveHttp } from '@tallystick/server/http';
import { migratePostgres } from '@tallystick/server/store';
import { sharedPostgres, type TempDir, tempDir, until } from '@tallystick/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExecutorOrders, StopAt } from './executor-child.ts';
import { ExecutorProcess } from './executor-process.ts';

/**
 * The promise: an approval is used for at most one execution, and an effect that may have begun is never repeated, whichever process is
 * killed and when. The executors are processes of their own; the two replicas of the service share a PostgreSQL server.
 */
const timeout = { timeout: 120_000 };
/** How many approvals two processes claim at once. */
const doubleClaims = 10;

interface Replica {
  readonly url: string;
  close(): Promise<void>;
}

let dir: TempDir;
const replicas: Replica[] = [];
let agentKey: string;
let agent: Client;
let maria: Client;

beforeAll(async () => {
  dir = tempDir();
  const databaseUrl = await openDatabase();
  let first: AuditService | undefined;
  for (let index = 0; index < 2; index++) {
    const service = await AuditService.open({
      store: { databaseUrl },
      signerDirectory: join(dir.path, 'signer'),
      logName: 'audit.crash',
      checkpointIntervalMs: 0,
    });
    first ??= service;
    const server = await serveHttp(service, {
      port: 0,
      logger: false,
      tailIntervalMs: 20,
      auditReads: false,
    });
    replicas.push({
      url: server.url,
      close: async () => {
        await server.close();
        await service.close();
      },
    });
  }
  const keyOf = async (subject: string, ...scopes: Parameters<AuditService['keys']['create']>[0]['scopes']) =>
    (await first!.keys.create({ name: subject, subject, scopes, tenants: ['acme'] })).key;
  agentKey = await keyOf('service:refunds', 'events:write', 'events:read', 'approvals:request');
  agent = createClient({ url: replicas[0]!.url, apiKey: agentKey });
  const approverKey = await keyOf('maria', 'approvals:decide');
  maria = createClient({ url: replicas[1]!.url, apiKey: approverKey });
});
afterAll(async () => {
  for (const replica of replicas) await replica.close();
  dir?.remove();
});

async function openDatabase(): Promise<string> {
  const shared = await sharedPostgres();
  const { url: ownerUrl } = await shared.createDatabase();
  const login = `svc_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: shared.adminUrl });
  await admin.connect();
  await admin.query(`create role ${login} login password 'svc'`);
  await admin.end();
  await migratePostgres(ownerUrl, login);
  const url = new URL(ownerUrl);
  url.username = login;
  url.password = 'svc';
  return url.href;
}

const orders = (replica: number, action?: ExecutorOrders['action']): ExecutorOrders => ({
  url: replicas[replica]!.url,
  apiKey: agentKey,
  tenantId: 'acme',
  ...(action !== undefined && { action }),
});

/** What a gate does before it waits. */
async function requestApproval(): Promise<void> {
  const document = {
    tenant_id: 'acme',
    action: 'refund',
    actor: { actor_type: 'agent', actor_id: 'refund-bot' },
    arguments: { amount: 40 },
    policy: { name: 'refunds', version: '1' },
  } as const;
  const digest = createHash('sha256').update(canonicalize(document)).digest('hex');
  const intent_id = uuidv7();
  await agent.events.submit([
    {
      audit_id: intent_id,
      tenant_id: 'acme',
      timestamp: new Date().toISOString(),
      event_type: 'agent.action.intended',
      actor_type: 'agent',
      actor_id: 'refund-bot',
      source_service: 'test',
      context: { document_digest: `sha256:${digest}` },
    },
  ]);
  await agent.approvals.request({ id: uuidv7(), intent_id, document });
}

/** Grants the one approval that is pending. */
async function grantNext(): Promise<Approval> {
  let pending: Approval | undefined;
  await until(
    async () => {
      [pending] = (await maria.approvals.list({ state: 'pending' })).approvals;
      return pending !== undefined;
    },
    { timeoutMs: 60_000, what: 'a request for an approval' },
  );
  const { id, document_digest } = pending!;
  return await maria.approvals.decide(id, { verdict: 'grant', document_digest });
}

const claimOf = ({ id, document_digest }: Approval) => ({
  tenant_id: 'acme',
  approval_id: id,
  attempt: uuidv7(),
  document_digest,
});

const effectsIn = (file: string) =>
  existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;

test.each<{ stopAt: StopAt; before: number; after: number; ends: string }>([
  { stopAt: 'granted', before: 0, after: 1, ends: 'ended done' },
  { stopAt: 'claimed', before: 0, after: 0, ends: 'ended ALREADY_RUN' },
  { stopAt: 'effect', before: 1, after: 1, ends: 'ended ALREADY_RUN' },
])('an executor is killed at: $stopAt', timeout, async ({ stopAt, before, after, ends }) => {
  const effectFile = join(dir.path, `effects-${stopAt}`);
  const action = { effectFile, idempotencyKey: `refund-${randomUUID()}` };
  await using killed = new ExecutorProcess(orders(0, { ...action, stopAt }));
  const approval = await grantNext();
  await killed.line(stopAt);
  await killed.kill();
  expect(effectsIn(effectFile)).toBe(before);

  // Its successors, on the other replica, have the same operation to run.
  await using successor = new ExecutorProcess(orders(1, action));
  const outcome = await successor.line('ended');
  expect(outcome).toMatch(new RegExp(`^${ends}`));
  if (stopAt !== 'granted') expect(outcome).toContain('has not reported its end');
  await using third = new ExecutorProcess(orders(0, action));
  expect(await third.line('ended')).toMatch(/^ended ALREADY_RUN/);
  expect(effectsIn(effectFile)).toBe(after);
  expect(await agent.approvals.get(approval.id)).toMatchObject({ state: 'claimed' });
  await expect(agent.approvals.claim(claimOf(approval))).rejects.toMatchObject({
    problem: { code: 'ALREADY_CLAIMED' },
  });
});

test(
  'an executor without an idempotency key is killed after the grant: one claim is possible',
  timeout,
  async () => {
    const effectFile = join(dir.path, 'effects-no-key');
    await using killed = new ExecutorProcess(orders(0, { effectFile, stopAt: 'granted' }));
    const approval = await grantNext();
    await killed.line('granted');
    await killed.kill();
    expect(await agent.approvals.claim(claimOf(approval))).toMatchObject({ state: 'claimed' });
    await expect(agent.approvals.claim(claimOf(approval))).rejects.toMatchObject({
      problem: { code: 'ALREADY_CLAIMED' },
    });
    expect(effectsIn(effectFile)).toBe(0);
  },
);

test(
  `two processes on two replicas claim each of ${doubleClaims} approvals at once: one succeeds`,
  timeout,
  async () => {
    await using one = new ExecutorProcess(orders(0));
    await using two = new ExecutorProcess(orders(1));
    await Promise.all([one.line('ready'), two.line('ready')]);
    for (let round = 1; round <= doubleClaims; round++) {
      await requestApproval();
      const approval = await grantNext();
      for (const claimer of [one, two]) claimer.write(JSON.stringify(claimOf(approval)));
      await until(() => one.lines.length > round && two.lines.length > round, { timeoutMs: 60_000 });
      expect([one.lines[round], two.lines[round]].sort()).toEqual(['ALREADY_CLAIMED', 'claimed']);
    }
    const { events } = await agent.events.list({
      filters: { event_type: 'approval.claimed' },
      limit: 1_000,
    });
    const targets = events.map(({ target_id }) => target_id);
    expect(new Set(targets).size).toBe(targets.length);
  },
);
