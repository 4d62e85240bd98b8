import { uuidv7 } from '@tallystick/event';
import { createVerifier } from '@tallystick/log';
import { type Approval, defaultApprovalRules } from '@tallystick/protocol';
import { verifyStore } from '@tallystick/verify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import type { DeskCaller } from '../../src/approvals/approval-changes.ts';
import { changeRules } from '../../src/approvals/minimum-rules.ts';
import { planRecovery, recoverChain } from '../../src/operations/recover.ts';
import { verifyRange } from '../../src/proofs/verification/verify-range.ts';
import { writer } from '../../src/store/database.ts';
import { Trail } from '../../src/trail/trail.ts';
import { logName } from '../events.ts';
import { embeddedSite, type Site } from '../sites.ts';
import { refundOf } from './desk-parts.ts';

/** The service's own check and the check of a store, before and after a recovery. */
const tenant = 'acme';
const agent: DeskCaller = { principal: 'key:agent', subject: 'service:refunds' };
const maria: DeskCaller = { principal: 'key:maria', subject: 'maria' };
let site: Site;
let service: AuditService;

beforeAll(async () => {
  site = await embeddedSite();
  service = await site.open();
}, 180_000);
afterAll(async () => {
  await service.close();
  site.remove();
});

async function request(): Promise<Approval> {
  const { document, intent } = refundOf(tenant);
  await service.writer.submit([intent]);
  return await service.desk.request({ id: uuidv7(), intent_id: intent.event.audit_id, document }, agent);
}
const grant = ({ id, document_digest }: Approval) =>
  service.desk.decide(tenant, id, { verdict: 'grant', document_digest }, maria);
const claim = ({ id, document_digest }: Approval) =>
  service.desk.claim({ tenant_id: tenant, approval_id: id, attempt: uuidv7(), document_digest }, agent);

async function reports() {
  const trail = new Trail(service.database);
  const { epoch } = (await trail.head(tenant))!;
  await service.logs.checkpoint(tenant);
  const { publicKey } = service.signer.store.publicKeys()[0]!;
  const keys = [createVerifier(`${logName}/${tenant}/${epoch}`, publicKey)];
  const query = (sql: string, parameters: readonly unknown[]) =>
    service.database.query<{ readonly [column: string]: unknown }>(writer, sql, parameters);
  return [
    await verifyRange(service, trail, { tenantId: tenant }),
    await verifyStore(query, { tenantId: tenant, logName, keys }),
  ];
}

test('both checks name an edited approval, and none after a recovery', async () => {
  const granted = await grant(await request());
  const waiting = await request();
  for (const report of await reports()) expect(report).toMatchObject({ verdict: 'verified', findings: [] });

  const set = (state: string) =>
    service.database.query(writer, 'update audit_approvals set state = $2 where id = $1', [
      waiting.id,
      state,
    ]);
  await set('granted');
  for (const report of await reports()) {
    expect(report).toMatchObject({
      verdict: 'broken',
      findings: [{ code: 'APPROVAL_MISMATCH', expected: `${waiting.id} state: pending`, found: 'granted' }],
    });
  }
  await set('pending');

  await changeRules(
    service,
    { tenantId: tenant, action: 'refund', rules: defaultApprovalRules },
    'key:admin',
  );
  const operation = {
    tenant_id: tenant,
    idempotency_key: 'refund-1',
    document_digest: granted.document_digest,
    intent_id: granted.intent_id,
  };
  expect(await service.operations.begin(operation, 'service:refunds')).toEqual({ status: 'begun' });
  for (const report of await reports()) expect(report).toMatchObject({ verdict: 'verified', findings: [] });

  await service.close();
  await site.save();
  service = await site.open();
  await claim(await grant(await request()));
  await service.logs.checkpoint(tenant);
  await service.close();
  await site.putBack();
  service = await site.open();
  const [plan] = await planRecovery(service);
  await recoverChain(service, plan!, 'restored from a backup');

  expect(await claim(granted)).toMatchObject({ state: 'claimed' });
  expect(await grant(waiting)).toMatchObject({ state: 'granted' });
  await grant(await request());
  const completed_at = new Date().toISOString();
  await service.operations.finish(operation, { status: 'success', completed_at }, 'service:refunds');
  await changeRules(service, { tenantId: tenant, action: 'refund', rules: undefined }, 'key:admin');
  for (const report of await reports()) expect(report).toMatchObject({ verdict: 'recovered', findings: [] });
  // The record of the request is in the closed epoch.
  await service.database.query(writer, 'update audit_approvals set created_at = now() where id = $1', [
    waiting.id,
  ]);
  for (const report of await reports()) {
    expect(report.findings).toMatchObject([{ code: 'APPROVAL_MISMATCH', epoch: 1 }]);
  }
}, 120_000);
