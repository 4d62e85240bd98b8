/** How far a chain is signed, and how far this browser has verified it. */
import type { Client } from '@tallystick/client';
import { formatOrigin, parseCheckpoint, parseNote } from '@tallystick/log';
import type { TenantInfo, Verdict } from '@tallystick/protocol';
import { type KeyStorage, PinnedKeys } from '../proof/pinned-keys.ts';

/** The state of a tenant's chain, as far as the reader can know it. */
export interface ChainState {
  /** Records of the current epoch. */
  readonly records: number;
  /** When the newest record was chained. */
  readonly newest: string;
  /** Records that no signed checkpoint covers. */
  readonly unsigned: number;
  /** All records that were chained until this time are signed. Absent before the first checkpoint, and where the service does not say. */
  readonly signedUntil: string | undefined;
  /** When the newest checkpoint was signed. Absent before the first one. */
  readonly signedAt: string | undefined;
  /** The last check of the whole chain by the service. */
  readonly checked: { readonly verdict: Verdict; readonly at: string; readonly records: number } | undefined;
  /** The newest checkpoint that this browser has verified. */
  readonly verified: { readonly records: number; readonly at: string } | undefined;
}

/**
 * Reads the state of a chain.
 *
 * @returns undefined where the tenant has no chain
 */
export async function chainStateOf(
  client: Client,
  tenant: string,
  { logName, storage }: { readonly logName: string; readonly storage: KeyStorage },
  signal: AbortSignal,
): Promise<ChainState | undefined> {
  const [chain] = (await client.tenants.list({ tenant_id: tenant }, { signal })).tenants;
  if (chain === undefined) return undefined;
  const { size, signed_size, signed_at, last_ingested_at, last_verification: check, epoch } = chain;
  return {
    records: size,
    newest: last_ingested_at,
    unsigned: size - (signed_size ?? 0),
    signedUntil: await signedUntil(client, chain, signal),
    signedAt: signed_at ?? undefined,
    checked:
      check === null ? undefined : { verdict: check.verdict, at: check.checked_at, records: check.size },
    verified: verifiedHere(storage, { logName, tenantId: tenant, epoch }),
  };
}

/** When the last record was chained that a checkpoint covers. */
async function signedUntil(
  client: Client,
  { tenant_id, size, signed_size, last_ingested_at, epoch }: TenantInfo,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (signed_size === null || signed_size === 0) return undefined;
  if (signed_size === size) return last_ingested_at;
  const last = signed_size - 1;
  const { events } = await client.events.list(
    {
      tenant_id,
      filters: { sequence_from: last, sequence_to: last },
      include_reads: true,
      limit: 10,
    },
    { signal },
  );
  // Older epochs have a record of this number too.
  const record = events.find((event) => event.epoch === epoch);
  return typeof record?.ingested_at === 'string' ? record.ingested_at : undefined;
}

function verifiedHere(
  storage: KeyStorage,
  { logName, tenantId, epoch }: Parameters<typeof formatOrigin>[0],
): ChainState['verified'] {
  const origin = formatOrigin({ logName, tenantId, epoch });
  const checkpoint = new PinnedKeys(storage).find(origin)?.checkpoint;
  if (checkpoint === undefined) return undefined;
  const { origin: verified, size } = parseCheckpoint(parseNote(checkpoint.note).text);
  // A checkpoint of an older epoch says nothing about this one.
  return verified === origin ? { records: size, at: checkpoint.kept_at } : undefined;
}
