import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyBundle, verifyReceipt } from '@tallystick/verify';
import type { Target } from './attacks.ts';
import type { Narrator } from './narrator.ts';
import type { RunningService } from './running-service.ts';
import type { Evidence } from './tamper.ts';

/**
 * The auditor verifies the trail and takes what must be kept away from the records: a checkpoint, the verifier key and a receipt of the
 * record that will be attacked.
 */
export async function takeEvidence(
  { client }: RunningService,
  narrator: Narrator,
  { directory, victim }: { readonly directory: string; readonly victim: Target },
): Promise<Evidence> {
  await narrator.chapter('An auditor takes a checkpoint, the public key and a receipt away');
  const { tenantId, sequence } = victim;
  const auditor = join(directory, 'auditor');
  mkdirSync(auditor, { recursive: true });
  const checkpoint = await client.logs.checkpoint(tenantId, { fresh: true });
  const { key } = (await client.logs.keys(tenantId)).keys[0]!;
  writeFileSync(join(auditor, 'checkpoint'), checkpoint);
  writeFileSync(join(auditor, 'key'), `${key}\n`);

  const report = await verifyBundle(client.logs.bundle(tenantId), { keys: [key] });
  if (report.verdict !== 'verified') throw new Error(`the genuine trail is ${report.verdict}`);
  const verified = `${report.records} records verified, signed up to #${report.covered_to}`;
  await narrator.done('verify', verified, { ...report });

  const filters = { sequence_from: sequence, sequence_to: sequence };
  const { events } = await client.events.list({ tenant_id: tenantId, filters });
  const receipt = await client.logs.receipt(tenantId, String(events[0]!.audit_id));
  writeFileSync(join(auditor, 'receipt.tlog-proof'), receipt);
  const proven = await verifyReceipt(receipt, { keys: [key] });
  if (proven.verdict !== 'verified') throw new Error(`the receipt is ${proven.verdict}`);
  await narrator.done(
    'receipt',
    `receipt of record ${proven.sequence_number} verified offline, with only the key`,
    { verdict: proven.verdict, sequence_number: proven.sequence_number },
  );
  return { checkpoint, key };
}
