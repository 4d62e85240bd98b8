import { createClient } from '@tallystick/client';
import { uuidv7 } from '@tallystick/event';
import type { OpenIntent } from '@tallystick/protocol';
import { tempDir, until } from '@tallystick/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

const dir = tempDir();
let service: Service;

const run = (...args: readonly string[]) =>
  tally(['intents', ...args], {
    cwd: dir.path,
    env: {
      XDG_CONFIG_HOME: dir.path,
      ...service.env,
      COLUMNS: '300',
    },
  });
const idsOf = async (...args: readonly string[]) =>
  ((await run('--json', ...args)).json() as OpenIntent[]).map(({ audit_id }) => audit_id);

/** An event of an agent's action. */
const action = (fields: object = {}) => ({
  audit_id: uuidv7(),
  tenant_id: 'acme',
  timestamp: new Date().toISOString(),
  source_service: 'shop',
  event_category: 'agent',
  event_type: 'agent.action.intended',
  actor_type: 'agent',
  actor_id: 'refund-bot',
  context: { action: 'refund', deadline: new Date(Date.now() + 3_600_000).toISOString() },
  ...fields,
});
const open = action();
const otherAgent = action({ actor_id: 'mail-bot', context: { action: 'mail' } });
const elsewhere = action({ tenant_id: 'globex' });
const overdue = action({ context: { action: 'refund', deadline: new Date().toISOString() } });
const unannounced = action({
  event_type: 'agent.action.completed',
  parent_id: uuidv7(),
  context: { action: 'wipe' },
});
/** More than a page of the client has. */
const many = Array.from({ length: 501 }, () => action({ tenant_id: 'initech' }));

beforeAll(async () => {
  service = await openService(`${dir.path}/store`, { openIntents: { graceMs: 0 } });
  const client = createClient({ url: service.url, apiKey: service.key });
  await service.submit({ events: [...many, open, otherAgent, elsewhere, overdue, unannounced] });
  await until(
    async () => {
      const states = new Set<string>();
      for await (const { state } of client.openIntents.listAll()) states.add(state);
      return states.has('unresolved') && states.has('unexplained') && states.has('open');
    },
    { timeoutMs: 90_000, what: 'the follower of open intents' },
  );
}, 240_000);
afterAll(async () => {
  await service?.close();
  dir.remove();
});

test('the list names each action that is not complete, with its state', async () => {
  const { stdout, exitCode } = await run('--tenant', 'acme');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^INTENT +STATE +TENANT +AGENT +ACTION +TARGET +CHAINED +DEADLINE\n/);
  const lines = stdout.split('\n');
  const lineOf = (id: string) => lines.find((line) => line.startsWith(id));
  expect(lineOf(open.audit_id)).toMatch(/ open +acme +refund-bot +refund /);
  expect(lineOf(overdue.audit_id)).toMatch(/ unresolved +acme /);
  expect(lineOf(String((unannounced as { parent_id?: string }).parent_id))).toMatch(
    / unexplained +acme .* wipe /,
  );
  expect(stdout).not.toContain(elsewhere.audit_id);
});

test('state, agent, action, age and tenant limit the list', async () => {
  expect(await idsOf('--state', 'unresolved')).toEqual([overdue.audit_id]);
  expect(await idsOf('--state', 'unexplained')).toEqual([unannounced.audit_id]);
  expect(await idsOf('--actor', 'mail-bot')).toEqual([otherAgent.audit_id]);
  expect(await idsOf('--action', 'wipe', '--tenant', 'acme')).toEqual([unannounced.audit_id]);
  expect(await idsOf('--tenant', 'globex')).toEqual([elsewhere.audit_id]);
  const none = await run('--older-than', '30d');
  expect([none.exitCode, none.stdout, none.stderr]).toEqual([
    0,
    '',
    'no incomplete actions of agents found\n',
  ]);
});

test('a list of more than one page is complete', async () => {
  expect((await idsOf('--tenant', 'initech')).sort()).toEqual(many.map(({ audit_id }) => audit_id).sort());
});

test('a state or an age that does not exist is wrong usage', async () => {
  expect((await run('--state', 'lost')).exitCode).toBe(3);
  expect((await run('--older-than', 'long')).exitCode).toBe(3);
});

// `tally dev` advises to export TALLYSTICK_TENANT. A reset then deleted the rows of this tenant first, in place of a rebuild beside those in use.
test('a reset of the follower takes its tenant from the command line alone, and says how many records are left', async () => {
  const followers = (...args: readonly string[]) =>
    tally(['followers', ...args], {
      cwd: dir.path,
      env: {
        XDG_CONFIG_HOME: dir.path,
        TALLYSTICK_URL: service.url,
        TALLYSTICK_API_KEY: service.key,
        TALLYSTICK_TENANT: 'acme',
      },
    });
  await followers('pause', 'open-intents');
  expect((await followers('reset', 'open-intents')).stderr).toMatch(/ is paused: 5\d\d records left\n/);
  expect((await followers('show', 'open-intents')).stdout).toMatch(/^state +paused: 5\d\d records left$/m);
  expect(await idsOf('--tenant', 'acme')).not.toEqual([]);
  await followers('reset', 'open-intents', '--tenant', 'acme');
  expect(await idsOf('--tenant', 'acme')).toEqual([]);
  await followers('resume', 'open-intents');
});
