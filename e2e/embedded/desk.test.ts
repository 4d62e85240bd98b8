import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Approval } from '@tallystick/protocol';
import { createAuditEmitter } from '@tallystick/sdk';
import { createGate, rulePolicy } from '@tallystick/sdk/gate';
import { ServerError } from '@tallystick/server';
import {
  type EmbeddedDesk,
  type EmbeddedTransport,
  embedded,
  embeddedDesk,
} from '@tallystick/server/embedded';
import { prepareEmbeddedStore, tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const directory = tempDir();
let transport: EmbeddedTransport;
let desk: EmbeddedDesk;
let audit: ReturnType<typeof createAuditEmitter>;

beforeAll(async () => {
  await prepareEmbeddedStore(directory.path);
  transport = await embedded({ directory: directory.path });
  desk = embeddedDesk(transport.service, { subject: 'refund-bot', intervalMs: 20 });
  audit = createAuditEmitter({ service: 'refunds', transport, tenantId: 'acme' });
});

afterAll(async () => {
  await audit?.close();
  await transport?.close();
  directory.remove();
});

const policy = rulePolicy({ name: 'p', version: '1', rules: [{ name: 'all', effect: 'ask' }] });
const gateFor = () =>
  createGate({
    audit,
    policy,
    desk,
    ledger: desk,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    // A busy machine is no fault of the trail.
    acknowledgeWithinMs: 60_000,
  });
/** The approval that waits for a decision. */
async function pending(): Promise<Approval> {
  const find = async () => (await desk.list('acme')).find(({ state }) => state === 'pending');
  return (await until(find, { timeoutMs: 20_000, what: 'a pending approval' }))!;
}

test('a granted action runs once, a retry gets its outcome, and the trail has the approval', async () => {
  let runs = 0;
  const act = () =>
    gateFor().run({ action: 'refund', arguments: { amount: 40 }, idempotencyKey: 'r-1' }, () => {
      runs += 1;
      return 'done';
    });
  const running = act();
  const approval = await pending();
  await desk.decide('acme', approval.id, { verdict: 'grant', subject: 'mia', comment: 'fine' });
  expect(await running).toBe('done');
  await expect(act()).rejects.toMatchObject({ code: 'ALREADY_RUN', outcome: { status: 'success' } });
  expect(runs).toBe(1);
  expect((await desk.list('acme'))[0]).toMatchObject({ state: 'claimed' });
});

test('the requester can not decide, and a denial ends the action', async () => {
  const running = gateFor().run({ action: 'refund', arguments: { amount: 41 } }, () => 'done');
  running.catch(() => undefined);
  const approval = await pending();
  await expect(
    desk.decide('acme', approval.id, { verdict: 'grant', subject: 'refund-bot' }),
  ).rejects.toThrow();
  await desk.decide('acme', approval.id, { verdict: 'deny', subject: 'mia' });
  await expect(running).rejects.toMatchObject({ code: 'APPROVAL_DENIED' });
});

test('minimum rules hold, and a caller that gives up withdraws its request', async () => {
  await desk.setRules('acme', 'transfer', {
    approvals: 2,
    timeout_ms: 60_000,
    claim_within_ms: 60_000,
    hidden_arguments: 'refused',
    break_glass: 'refused',
  });
  const controller = new AbortController();
  const running = gateFor().run({ action: 'transfer', signal: controller.signal }, () => 'done');
  running.catch(() => undefined);
  const approval = await pending();
  expect(approval.rules).toMatchObject({ approvals: 2, timeout_ms: 60_000 });
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
  await until(async () =>
    (await desk.list('acme')).some(({ id, state }) => id === approval.id && state === 'withdrawn'),
  );
});

test('a store that is away is no refusal: the gate says that the desk is unavailable', async () => {
  const { desk: service } = transport.service;
  const { request } = service;
  service.request = async () => {
    throw new ServerError('STORE_FULL', 'the disk is full');
  };
  try {
    const running = gateFor().run({ action: 'refund', arguments: { amount: 42 } }, () => 'done');
    await expect(running).rejects.toMatchObject({ code: 'DESK_UNAVAILABLE' });
  } finally {
    service.request = request;
  }
});

test('the wait for a decision goes on while the store is away', async () => {
  const running = gateFor().run({ action: 'refund', arguments: { amount: 43 } }, () => 'done');
  const approval = await pending();
  const { desk: service, database } = transport.service;
  const away = () => Promise.reject(new ServerError('STORE_UNAVAILABLE', 'no connection'));
  const query = vi.spyOn(database, 'query').mockImplementation(away);
  const get = vi.spyOn(service, 'get').mockImplementation(away);
  const asked = () => query.mock.calls.filter(([, text]) => text.includes('unnest')).length;
  await until(() => asked() > 1);
  query.mockRestore();
  // The decision is seen, and can't be read yet.
  await desk.decide('acme', approval.id, {
    verdict: 'grant',
    subject: 'mia',
    document_digest: approval.document_digest,
  });
  await until(() => get.mock.calls.length > 1);
  get.mockRestore();
  expect(await running).toBe('done');
});

test('a process that has nothing else to do waits for the decision', async () => {
  using directory = tempDir();
  await prepareEmbeddedStore(directory.path);
  const program = `
    import { createAuditEmitter } from '@tallystick/sdk';
    import { createGate, rulePolicy } from '@tallystick/sdk/gate';
    import { embedded, embeddedDesk } from '@tallystick/server/embedded';
    const transport = await embedded({ directory: ${JSON.stringify(directory.path)} });
    const desk = embeddedDesk(transport.service, { subject: 'bot' });
    const audit = createAuditEmitter({ service: 'bot', transport, tenantId: 'acme' });
    const approval = { timeout_ms: 1500 };
    const policy = rulePolicy({ name: 'p', version: '1', rules: [{ name: 'all', effect: 'ask', approval }] });
    const actor = { actorType: 'agent', actorId: 'bot' };
    const gate = createGate({ audit, policy, desk, ledger: desk, tenantId: 'acme', actor, acknowledgeWithinMs: 60_000 });
    await gate.run({ action: 'refund' }, () => 'done').catch((error) => console.log(error.code));
    await audit.close();
  `;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=tallystick-source', '--input-type=module', '--eval', program],
    { cwd: import.meta.dirname },
  );
  expect(stdout.trim()).toBe('APPROVAL_TIMED_OUT');
}, 60_000);

// Each wait read its own approval at each interval. Hundreds of them left the store no time for anything else.
test('many waits cost one query at an interval, and each decision reaches its own', async () => {
  const { service } = transport;
  const reads = vi.spyOn(service.desk, 'get');
  const queries = vi.spyOn(service.database, 'query');
  const rounds = () => queries.mock.calls.filter(([, text]) => text.includes('unnest')).length;
  const ids: string[] = [];
  const runs = Array.from({ length: 20 }, (_, index) =>
    gateFor().run(
      { action: 'refund', arguments: { index }, onPending: ({ id }) => ids.push(id) },
      () => index,
    ),
  );
  await until(() => ids.length === runs.length, { timeoutMs: 60_000, what: '20 pending approvals' });
  await until(() => reads.mock.calls.length === runs.length, { timeoutMs: 60_000, what: '20 waits' });
  const before = rounds();
  await until(() => rounds() >= before + 5, { timeoutMs: 60_000, what: 'five intervals' });
  expect(reads).toHaveBeenCalledTimes(runs.length);
  vi.restoreAllMocks();
  for (const id of ids) await desk.decide('acme', id, { verdict: 'grant', subject: 'maria' });
  const results = await Promise.all(runs);
  expect(results).toEqual(runs.map((_, index) => index));
}, 120_000);

test('a wait ends when its row was edited and stays pending', async () => {
  const running = gateFor().run({ action: 'refund', arguments: { amount: 44 } }, () => 'done');
  running.catch(() => undefined);
  const { id } = await pending();
  const { database } = transport.service;
  const queries = vi.spyOn(database, 'query');
  await until(() => queries.mock.calls.some(([, text]) => text.includes('unnest')));
  queries.mockRestore();
  await database.query(
    { role: 'writer' },
    "update audit_approvals set approval = replace(approval, '44', '45') where tenant_id = 'acme' and id = $1",
    [id],
  );
  const { now } = performance;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + 60_000);
  await expect(running).rejects.toMatchObject({ approvalId: id });
  clock.mockRestore();
}, 60_000);

// A wait for a decision did not end when the service was closed, and kept the process alive.
test('when the service closes, a wait for a decision ends, and the approval stays open', async () => {
  using own = tempDir();
  await prepareEmbeddedStore(own.path);
  const first = await embedded({ directory: own.path });
  const emitter = createAuditEmitter({ service: 'refunds', transport: first, tenantId: 'acme' });
  const waitingDesk = embeddedDesk(first.service, { subject: 'refund-bot', intervalMs: 3_600_000 });
  const gate = createGate({
    audit: emitter,
    policy,
    desk: waitingDesk,
    ledger: waitingDesk,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    // A busy machine is no fault of the trail.
    acknowledgeWithinMs: 60_000,
  });
  const isAsked = Promise.withResolvers<string>();
  const running = gate.run(
    { action: 'refund', idempotencyKey: 'r-9', onPending: ({ id }) => isAsked.resolve(id) },
    () => 'done',
  );
  running.catch(() => undefined);
  const asked = await isAsked.promise;
  await first.service.close();
  await expect(running).rejects.toMatchObject({ code: 'DESK_UNAVAILABLE', approvalId: asked });
  await emitter.close({ deadlineMs: 1 });

  const again = await embedded({ directory: own.path });
  const approvals = await embeddedDesk(again.service, { subject: 'refund-bot' }).list('acme');
  expect(approvals).toMatchObject([{ id: asked, state: 'pending' }]);
  await again.close();
}, 120_000);
