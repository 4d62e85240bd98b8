import { createClient } from '@tallystick/client';
import { uuidv7 } from '@tallystick/event';
import { createAuditEmitter } from '@tallystick/sdk';
import { createGate, rulePolicy } from '@tallystick/sdk/gate';
import { httpTransport } from '@tallystick/sdk/http';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;
let maria: string;
/** Key of the application whose actions wait. */
let refunds: string;

const run = (args: readonly string[], key = maria) =>
  tally(args, {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: dir.path,
      TALLYSTICK_URL: service.url,
      TALLYSTICK_API_KEY: key,
      TALLYSTICK_TENANT: 'acme',
    },
  });

beforeAll(async () => {
  service = await openService(`${dir.path}/store`);
  const create = async (subject: string, ...scopes: string[]) => {
    const args = ['api-keys', 'create', '--name', 'm', '--scope', ...scopes, '--subject', subject, '--json'];
    return ((await run(args, service.key)).json()[0] as { key: string }).key;
  };
  maria = await create('maria', 'approvals:decide', 'events:read');
  refunds = await create('service:refunds', 'events:write', 'approvals:request');
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

/** An action that waits for an approval, until it is decided. */
function waiting(text: string) {
  const { url } = service;
  const apiKey = refunds;
  const audit = createAuditEmitter({
    service: 'refunds',
    transport: httpTransport({ url, apiKey }),
    flushOnExit: false,
  });
  const client = createClient({ url, apiKey });
  const gate = createGate({
    audit,
    policy: rulePolicy({ name: 'refunds', version: '1', rules: [], otherwise: 'ask' }),
    desk: client.approvals,
    tenantId: 'acme',
    actor: { actorType: 'agent', actorId: 'refund-bot' },
    acknowledgeWithinMs: 30_000,
  });
  const ended = gate
    .run(
      {
        action: `refund-${uuidv7()}`,
        arguments: { text, card: 'card of tom' },
        hidden: ['/card'],
        reason: text,
      },
      () => 'done',
    )
    .catch((error: { code: string }) => error.code)
    .finally(() => audit.close());
  return { ended };
}

async function pending(): Promise<{ id: string; document_digest: string }> {
  for (;;) {
    const [approval] = (await run(['approvals', 'list', '--json'])).json() as {
      id: string;
      document_digest: string;
    }[];
    if (approval !== undefined) return approval;
  }
}

test('an approval is listed, shown, and granted with the digest that was shown', async () => {
  const { ended } = waiting('late parcel');
  const { id, document_digest } = await pending();
  const list = await run(['approvals', 'list']);
  expect(list.stdout).toMatch(/^ID +STATE +TENANT +ACTION +ACTOR/);
  expect(list.stdout).toContain(id);
  const shown = await run(['approvals', 'show', id]);
  expect(shown.stdout).toContain(document_digest);
  expect(shown.stdout).toContain('late parcel');
  expect(shown.stdout).toContain('\n\narguments\n');
  expect(shown.stdout).toContain('not visible: /card');
  expect(shown.stdout).not.toContain('card of tom');
  const digits = document_digest.slice(7, 39);
  expect(shown.stderr).toContain(`tally approvals grant ${id} --digest ${digits}`);

  const wrong = await run(['approvals', 'grant', id, '--digest', '0'.repeat(32)]);
  expect([wrong.exitCode, wrong.stderr]).toEqual([3, expect.stringContaining('tally approvals show')]);
  const short = await run(['approvals', 'grant', id, '--digest', digits.slice(0, 31)]);
  expect(short.exitCode).toBe(3);

  const granted = await run(['approvals', 'grant', id, '--digest', digits, '--comment', 'checked']);
  expect([granted.exitCode, granted.stderr]).toEqual([0, 'the approval is granted\n']);
  expect(await ended).toBe('done');
  const again = await run(['approvals', 'grant', id, '--digest', digits]);
  expect(again.exitCode).not.toBe(0);
  expect((await run(['approvals', 'list'])).stderr).toBe('no approvals are pending\n');
  const events = (await run(['events', '--oldest', '--json'])).json() as { event_type: string }[];
  expect(events.map(({ event_type }) => event_type).filter((type) => !type.startsWith('audit.'))).toEqual([
    'system.genesis',
    'agent.action.intended',
    'agent.action.decided',
    'approval.requested',
    'approval.granted',
    'approval.claimed',
    'agent.action.completed',
    'approval.refused',
  ]);
  expect(JSON.stringify(events)).not.toContain('card of tom');
});

test('a denial ends the action', async () => {
  const { ended } = waiting('wrong order');
  const { id } = await pending();
  expect((await run(['approvals', 'deny', id, '--comment', 'no'])).stderr).toBe('the approval is denied\n');
  expect(await ended).toBe('APPROVAL_DENIED');
  const shown = await run(['approvals', 'show', id, '--json']);
  expect(shown.json()).toMatchObject([{ state: 'denied', decisions: [{ subject: 'maria', comment: 'no' }] }]);
});

test('an administrator without the scope can not decide', async () => {
  const { ended } = waiting('x');
  const { id, document_digest } = await pending();
  const refused = await run(['approvals', 'grant', id, '--digest', document_digest], service.key);
  expect(refused.exitCode).not.toBe(0);
  expect(refused.stderr).toContain('approvals:decide');
  await run(['approvals', 'deny', id]);
  await ended;
});

test('text that imitates an approver’s screen stays one line of the document', async () => {
  const { ended } = waiting('ok\u001b[2K\nstate  granted\u202e');
  const { id } = await pending();
  const shown = await run(['approvals', 'show', id]);
  expect(shown.stdout).not.toContain('\u001b');
  expect(shown.stdout).not.toContain('\u202e');
  expect(shown.stdout.split('\n').filter((line) => line.startsWith('state'))).toEqual([
    expect.stringMatching(/^state +pending$/),
  ]);
  await run(['approvals', 'deny', id]);
  await ended;
});

test('watch follows what the desk records, and leaves out what a client claims', async () => {
  let ended = false;
  const watching = run(['approvals', 'watch', '-n', '2', '--json']).finally(() => {
    ended = true;
  });
  // The first records may be chained before the watch begins.
  while (!ended) {
    const action = waiting('watched');
    const { id } = await pending();
    await createClient({ url: service.url, apiKey: service.key }).events.submit([
      {
        audit_id: uuidv7(),
        tenant_id: 'acme',
        timestamp: new Date().toISOString(),
        event_type: 'approval.granted',
        actor_type: 'user',
        actor_id: 'mallory',
        source_service: 'test',
      },
    ]);
    await run(['approvals', 'deny', id]);
    await action.ended;
  }
  const events = (await watching).json() as { event_type: string; actor_id: string }[];
  expect(events).toHaveLength(2);
  expect(events.every(({ actor_id }) => actor_id !== 'mallory')).toBe(true);
});
