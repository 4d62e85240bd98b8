import { type Client, ClientError } from '@tallystick/client';
import { type Checkpoint, fromBase64, LogError, parseCheckpoint, parseNote } from '@tallystick/log';
import type { EventView } from '@tallystick/protocol';
import { readReceipt } from '@tallystick/verify';
import type { Evidence } from './check-record.ts';
import type { KnownLog, PinnedKeys } from './pinned-keys.ts';

/** The evidence for one record, and the log that it is checked against. */
export interface Gathered {
  readonly evidence: Evidence;
  readonly known: KnownLog;
}

/**
 * Reads from the service what the check of a record needs. At the first visit it pins the key that the service shows.
 *
 * @param event with the text that was hashed in `record`
 */
export async function gatherEvidence(
  client: Client,
  keys: PinnedKeys,
  event: EventView,
  signal: AbortSignal,
): Promise<Gathered> {
  const { record, ...view } = event;
  const tenant = String(event.tenant_id);
  const reader = await EvidenceReader.for(client, keys, tenant, signal);
  const [evidence, predecessor] = await Promise.all([
    reader.evidenceFor(view, String(record), signal),
    readPredecessor(client, tenant, event, signal),
  ]);
  return { known: reader.known, evidence: { ...evidence, predecessor } };
}

/** Reads the evidence for many records of one log. The key and the proofs that they share are read once. */
export class EvidenceReader {
  readonly known: KnownLog;
  readonly #client: Client;
  readonly #tenant: string;
  /** By the two sizes of the tree. */
  readonly #consistency = new Map<string, ReturnType<typeof readConsistency>>();

  private constructor(client: Client, tenant: string, known: KnownLog) {
    this.#client = client;
    this.#tenant = tenant;
    this.known = known;
  }

  /** At the first visit it pins the key that the service shows. */
  static async for(
    client: Client,
    keys: PinnedKeys,
    tenant: string,
    signal: AbortSignal,
  ): Promise<EvidenceReader> {
    const { origin, keys: shown } = await client.logs.keys(tenant, { signal });
    const known = keys.find(origin) ?? keys.pin(shown[0]!.key, 'first-use');
    return new EvidenceReader(client, tenant, known);
  }

  /** The hashes that tie a checkpoint to the one that this browser verified last. `undefined`: the service gives none, or none is needed. */
  async consistencyWith(note: string, signal: AbortSignal): Promise<readonly Uint8Array[] | undefined> {
    const kept = this.known.checkpoint?.note;
    if (kept === undefined) return undefined;
    try {
      return await this.#between(parseCheckpoint(parseNote(note).text), kept, signal);
    } catch (error) {
      // The check says that the note can't be read.
      if (error instanceof LogError) return undefined;
      throw error;
    }
  }

  /** Evidence without the record before this one. `view` is the event as the page shows it, `record` the text that was hashed. */
  async evidenceFor(view: EventView, record: string, signal: AbortSignal): Promise<Evidence> {
    const receipt = await readReceiptText(this.#client, this.#tenant, String(view.audit_id), signal);
    const kept = this.known.checkpoint?.note;
    const consistency =
      'text' in receipt && kept !== undefined ? await this.#extends(receipt.text, kept, signal) : undefined;
    return { view, record, receipt, key: this.known.key, kept, consistency };
  }

  async #extends(
    receipt: string,
    kept: string,
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[] | undefined> {
    // Only the checkpoint of the receipt is of interest, so any text serves as the record.
    const checkpoint = readReceipt(receipt, '')?.checkpoint;
    if (checkpoint === undefined) return undefined;
    return await this.#between(checkpoint, kept, signal);
  }

  async #between(
    checkpoint: Checkpoint,
    kept: string,
    signal: AbortSignal,
  ): Promise<readonly Uint8Array[] | undefined> {
    const remembered = parseCheckpoint(parseNote(kept).text);
    if (checkpoint.origin !== remembered.origin) return undefined;
    const [from, to] = [remembered.size, checkpoint.size].sort((a, b) => a - b) as [number, number];
    if (from === to) return [];
    const sizes = `${from}-${to}`;
    const reading =
      this.#consistency.get(sizes) ?? readConsistency(this.#client, this.#tenant, { from, to }, signal);
    this.#consistency.set(sizes, reading);
    return await reading;
  }
}

async function readReceiptText(
  client: Client,
  tenant: string,
  auditId: string,
  signal: AbortSignal,
): Promise<Evidence['receipt']> {
  try {
    return { text: await client.logs.receipt(tenant, auditId, { signal }) };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { missing: `The service gave no receipt. ${error.problem?.detail ?? error.message}` };
  }
}

async function readPredecessor(
  client: Client,
  tenant: string,
  { sequence_number, epoch }: EventView,
  signal: AbortSignal,
): Promise<string | null | undefined> {
  if (typeof sequence_number !== 'number' || sequence_number === 0) return undefined;
  const before = sequence_number - 1;
  const { events, complete } = await client.events.list(
    {
      tenant_id: tenant,
      filters: { sequence_from: before, sequence_to: before },
      include: 'record',
      include_reads: true,
      limit: 10,
    },
    { signal },
  );
  const predecessor = events.find((event) => event.epoch === epoch);
  // A record that the reader may not see is listed without its bytes. One that is not listed at all is gone.
  if (predecessor === undefined && complete !== false) return null;
  return typeof predecessor?.record === 'string' ? predecessor.record : undefined;
}

async function readConsistency(
  client: Client,
  tenant: string,
  sizes: { readonly from: number; readonly to: number },
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | undefined> {
  try {
    const { hashes } = await client.logs.consistencyProof(tenant, sizes, { signal });
    return hashes.map((hash) => fromBase64(hash)).filter((hash) => hash !== undefined);
  } catch (error) {
    if (error instanceof ClientError) return undefined;
    throw error;
  }
}
