import { join } from 'node:path';
import { type EventField, eventFields, uuidv7 } from '@tallystick/event';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { tally } from '../../run-tally.ts';
import { openService, type Service } from '../service.ts';

/**
 * An attacker who is superuser of the database does not change the records, whose hashes are known, but what lies beside them:
 * the columns that filters use, the heads, whole tenants. `tally verify --server` looked at the records alone and said
 * "verified". The tests run in order on one store; each leaves another damage behind, in another tenant.
 */
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const dir = tempDir();
const data = join(dir.path, 'store');
let service: Service;

const tenantOf = ({ name }: EventField) => `column-${name.replaceAll('_', '-')}`;
const tenants = [
  ...eventFields.map(tenantOf),
  'microsecond',
  'headless',
  'deleted',
  'honest',
  'account',
  'desk',
];

const event = (tenant_id: string, n: number) =>
  JSON.stringify({
    tenant_id,
    timestamp: `2026-01-02T03:04:0${n}.678Z`,
    event_type: 'access.granted',
    event_category: 'access',
    severity: 'warning',
    actor_type: 'user',
    actor_id: `actor-${n}`,
    target_type: 'door',
    target_id: `door-${n}`,
    investigation_id: 'inv-1',
    alert_id: 'alert-1',
    correlation_id: `request-${n}`,
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    source_service: 'doors',
    outcome: { outcome_status: 'success' },
    is_sensitive: n === 2,
  });

const run = (args: readonly string[], stdin = '') =>
  tally(args, {
    cwd: dir.path,
    stdin,
    env: {
      XDG_CONFIG_HOME: join(dir.path, 'config'),
      ...service.env,
    },
  });
const producer = uuidv7();
const strict = {
  approvals: 2,
  timeout_ms: 60_000,
  claim_within_ms: 60_000,
  hidden_arguments: 'allowed',
  break_glass: 'refused',
};
const verify = (tenant: string) => run(['verify', '--tenant', tenant]);

/** What the attacker writes into a column of the field's type. Each hides the record from the filter for its true value. */
const forged: { readonly [type in EventField['column']]: string } = {
  uuid: "'0190a1b2-0000-7000-8000-00000000dead'",
  timestamptz: "'2001-01-01T00:00:00Z'",
  text: "'forged'",
  boolean: 'true',
};

beforeAll(async () => {
  service = await openService(data);
  const lines = tenants.flatMap((tenant) => [1, 2, 3].map((n) => event(tenant, n)));
  expect((await run(['emit'], lines.join('\n'))).stderr).toBe('');
  const numbered = { ...JSON.parse(event('account', 4)), audit_id: uuidv7() };
  await service.submit({ events: [numbered], delivery: { producer_id: producer, sequences: [2] } });
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${service.key}`, 'content-type': 'application/json' };
    const answer = await fetch(`${service.url}/v1/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    expect(answer.ok).toBe(true);
  };
  await post('approval-rules', { tenant_id: 'desk', action: 'refund', rules: strict });
  const operation = {
    tenant_id: 'desk',
    idempotency_key: 'refund-1',
    document_digest: `sha256:${'a'.repeat(64)}`,
    intent_id: uuidv7(),
  };
  await post('operations', operation);
  const outcome = { status: 'failure', completed_at: '2026-11-29T06:00:00.000Z' };
  await post('operations/finish', { ...operation, outcome });
  for (const tenant of ['headless', 'honest', 'account', 'desk'])
    expect((await verify(tenant)).exitCode).toBe(0);
  // A checkpoint of every tenant is with the signer.
  for (const tenant of tenants) expect((await run(['checkpoint', '--tenant', tenant])).exitCode).toBe(0);
  await service.close();
  await service.tamper(async (session) => {
    for (const field of eventFields) {
      await session.query(
        `update audit_records set "${field.name}" = ${forged[field.column]} where tenant_id = $1 and sequence_number = 1`,
        [tenantOf(field)],
      );
    }
    await session.query(
      `update audit_records set "timestamp" = "timestamp" + interval '1 microsecond' where tenant_id = 'microsecond' and sequence_number = 1`,
    );
    await session.query(`delete from audit_producer_ranges where tenant_id = 'account'`);
    await session.query(`update audit_producers set settled_to = 2 where tenant_id = 'account'`);
    await session.query(
      `update audit_approval_rules set rules = replace(rules, '"approvals":2', '"approvals":1')`,
    );
    await session.query(`update audit_operations set outcome = replace(outcome, 'failure', 'success')`);
    await session.query(`delete from audit_chain_state where tenant_id in ('headless', 'deleted')`);
    for (const table of ['audit_records', 'audit_tiles', 'audit_checkpoints'])
      await session.query(`delete from ${table} where tenant_id = 'deleted'`);
  });
  service = await openService(data);
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

test('a trail that nobody touched is verified', async () => {
  const { stdout, exitCode } = await verify('honest');
  expect(stdout).toContain('✔ verified');
  expect(exitCode).toBe(0);
});

describe('a changed column is found, and named', () => {
  test.each(eventFields.map((field) => [field.name, field] as const))('%s', async (name, field) => {
    const { stdout, exitCode } = await verify(tenantOf(field));
    expect(stdout).toContain('✘ BROKEN');
    expect(stdout).toMatch(new RegExp(`COLUMN_MISMATCH +1 .*${name}`));
    expect(exitCode).toBe(1);
  });

  test('also a time that is changed by less than a record can say', async () => {
    const { stdout, exitCode } = await verify('microsecond');
    expect(stdout).toMatch(/COLUMN_MISMATCH +1 .*timestamp/);
    expect(exitCode).toBe(1);
  });
});

// A producer's lost event was hidden: its number was made to look settled.
test('an account of a producer that was edited is found, and the number is named', async () => {
  const { stdout, exitCode } = await verify('account');
  expect(stdout).toContain('✘ BROKEN  account');
  expect(stdout).toMatch(/PRODUCER_ACCOUNT_MISMATCH.*the number 1 settled without a record/);
  expect(exitCode).toBe(1);
});

// A rule was loosened, and an operation that failed was made to look as if it had succeeded.
test('minimum rules and operations that were edited are found, and named', async () => {
  const { stdout, exitCode } = await verify('desk');
  expect(stdout).toContain('✘ BROKEN  desk');
  expect(stdout).toMatch(/APPROVAL_RULES_MISMATCH.*desk refund rules/);
  expect(stdout).toMatch(/OPERATION_MISMATCH.*refund-1 outcome/);
  expect(exitCode).toBe(1);
});

test('a chain whose head was deleted is broken', async () => {
  const { stdout, exitCode } = await verify('headless');
  expect(stdout).toContain('✘ BROKEN  headless');
  expect(stdout).toContain('HEAD_MISMATCH');
  expect(exitCode).toBe(1);
});

test('so is a tenant that was deleted', async () => {
  const { stdout, exitCode } = await verify('deleted');
  expect(stdout).toContain('✘ BROKEN  deleted');
  expect(stdout).toContain('HEAD_MISMATCH');
  expect(exitCode).toBe(1);
});
