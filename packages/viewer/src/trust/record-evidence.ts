import { type Client, ClientError } from '@tallystick/client';
import type { EventView } from '@tallystick/protocol';
import { type RecordEvidence, readReceipt } from '@tallystick/verify';
import { consistencyOf } from './log-visit.ts';
import type { Remembered } from './memory.ts';

/** Reads from the service what the check of a record needs. `undefined`: the token does not get the bytes of records. */
export async function recordEvidence(
  client: Client,
  known: Remembered,
  { record, ...view }: EventView,
  {
    signal,
    reasonOf,
  }: {
    readonly signal: AbortSignal;
    /** Says why the service gave no receipt. */
    readonly reasonOf: (error: ClientError) => string;
  },
): Promise<RecordEvidence | undefined> {
  if (typeof record !== 'string') return undefined;
  const tenant = String(view.tenant_id);
  const receipt = await client.logs.receipt(tenant, String(view.audit_id), { signal }).then(
    (text) => ({ text }),
    (error: unknown) => {
      if (!(error instanceof ClientError)) throw error;
      return { missing: reasonOf(error) };
    },
  );
  // Only the checkpoint of the receipt is of interest here, so any text serves as the record.
  const parts = 'text' in receipt ? readReceipt(receipt.text, '') : undefined;
  const consistency =
    parts === undefined || known.note === undefined
      ? undefined
      : await consistencyOf(client, tenant, known.note, parts.proof.checkpoint, signal);
  return { view, leftOut: ['ingest'], record, receipt, key: known.key, kept: known.note, consistency };
}
