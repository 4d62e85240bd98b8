import { type Client, ClientError } from '@tallystick/client';
import {
  type Checkpoint,
  fromBase64,
  LogError,
  parseCheckpoint,
  parseNote,
  parseOrigin,
  type RotationJson,
} from '@tallystick/log';
import { checkLog, formatForkReport, type LogCheck, type LogState } from '@tallystick/verify';
import type { LogMemory, Remembered } from './memory.ts';

/** What a visit found out about the log. */
export interface LogVisit {
  /** `missing`: the service says that there is no log where this browser verified one. */
  readonly state: LogState | 'new_epoch' | 'missing';
  readonly size?: number | undefined;
  readonly keptSize?: number | undefined;
  readonly known: Remembered;
  /** A report for a third party, where there is reason for an alarm. */
  readonly report?: string | undefined;
}

/** States that no honest service shows. */
const alarming: ReadonlySet<string> = new Set([
  'forked',
  'shrunk',
  'missing',
  'proof_invalid',
  'no_proof',
  'malformed',
  'other_log',
  'untrusted',
]);

/** Which log a reader visits, and when. */
interface Visit {
  readonly tenant: string;
  readonly server: string;
  /** A verifier key that the page pins. Absent: the key that the service shows first. */
  readonly key: string | undefined;
  readonly now: number;
}

/**
 * Compares the log with what this browser verified before. It stores a checkpoint only if the log is proven to extend the stored one.
 *
 * @throws {ClientError} if the service can't answer at the moment; `NOT_FOUND` if there is no log, and this browser verified none
 */
export async function visitLog(
  client: Client,
  memory: LogMemory,
  visit: Visit,
  signal: AbortSignal,
): Promise<LogVisit> {
  try {
    return await compareLog(client, memory, visit, signal);
  } catch (error) {
    const known = memory.read();
    if (!(error instanceof ClientError && error.code === 'NOT_FOUND') || known?.note === undefined)
      throw error;
    // Otherwise a service could hide a fork by denying the log.
    return { state: 'missing', keptSize: parseCheckpoint(parseNote(known.note).text).size, known };
  }
}

async function compareLog(
  client: Client,
  memory: LogMemory,
  { tenant, server, key, now }: Visit,
  signal: AbortSignal,
): Promise<LogVisit> {
  const shown = await client.logs.keys(tenant, { signal });
  const known = key === undefined ? (memory.read() ?? memory.pin(shown.keys[0]!.key)) : memory.pin(key);
  const note = await client.logs.checkpoint(tenant, {}, { signal });
  const rotations = shown.rotations as readonly RotationJson[] | undefined;
  const consistency =
    known.note === undefined ? undefined : await consistencyOf(client, tenant, known.note, note, signal);
  const found = await checkLog({ note, key: known.key, rotations, kept: known.note, consistency });
  const state = stateOf(found, known.note, note);
  if (state === 'grown' || state === 'first_visit') memory.keep(note, now);
  const report =
    alarming.has(state) && state !== 'malformed' && known.note !== undefined
      ? formatForkReport({
          kept: known.note,
          keptAt: known.keptAt,
          shown: note,
          shownAt: new Date(now).toISOString(),
          consistency,
          rotations,
          server,
        })
      : undefined;
  return { ...found, state, known, ...(report !== undefined && { report }) };
}

/** Whether the page must raise an alarm. */
export function isAlarm({ state }: Pick<LogVisit, 'state'>): boolean {
  return alarming.has(state);
}

/** A later epoch of the same log is not a fork: a recovery starts one. The page says so, and keeps the checkpoint of the earlier epoch. */
function stateOf({ state }: LogCheck, kept: string | undefined, note: string): LogVisit['state'] {
  if (state !== 'other_log' || kept === undefined) return state;
  const [before, now] = [originOf(kept), originOf(note)];
  const isSameLog = before.logName === now.logName && before.tenantId === now.tenantId;
  return isSameLog && now.epoch > before.epoch ? 'new_epoch' : state;
}

const originOf = (note: string) => parseOrigin(parseCheckpoint(parseNote(note).text).origin);

/**
 * The proof between two checkpoints; undefined where the service gives none, or one of them can't be read.
 *
 * @throws {ClientError} if the service can't answer at the moment, which is not a refusal
 */
export async function consistencyOf(
  client: Client,
  tenant: string,
  one: string,
  other: string,
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | undefined> {
  const [a, b] = [checkpointOf(one), checkpointOf(other)];
  if (a === undefined || b === undefined || a.origin !== b.origin || a.size === b.size) return undefined;
  const [from, to] = a.size < b.size ? [a.size, b.size] : [b.size, a.size];
  try {
    const { hashes } = await client.logs.consistencyProof(tenant, { from, to }, { signal });
    return hashes.map((hash) => fromBase64(hash) ?? new Uint8Array());
  } catch (error) {
    if (error instanceof ClientError && ['NOT_FOUND', 'REFUSED'].includes(error.code)) return undefined;
    throw error;
  }
}

function checkpointOf(note: string): Checkpoint | undefined {
  try {
    return parseCheckpoint(parseNote(note).text);
  } catch (error) {
    if (error instanceof LogError) return undefined;
    throw error;
  }
}
