import { type Client, ClientError } from '@tallystick/client';
import { fromBase64, parseCheckpoint, parseNote, parseOrigin, type RotationJson } from '@tallystick/log';
import { checkLog, formatForkReport, type LogCheck, type LogState } from '@tallystick/verify';
import type { LogMemory, Remembered } from './memory.ts';

/** What a visit found out about the log. */
export interface LogVisit {
  readonly state: LogState | 'new_epoch';
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
  'proof_invalid',
  'other_log',
  'untrusted',
]);

/** Compares the log with what this browser verified before. It stores a checkpoint only if the log is proven to extend the stored one. */
export async function visitLog(
  client: Client,
  memory: LogMemory,
  {
    tenant,
    server,
    key,
    now,
  }: {
    readonly tenant: string;
    readonly server: string;
    /** A verifier key that the page pins. Absent: the key that the service shows first. */
    readonly key: string | undefined;
    readonly now: number;
  },
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
    alarming.has(state) && known.note !== undefined
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

/** The proof between two checkpoints; undefined where the service gives none. */
export async function consistencyOf(
  client: Client,
  tenant: string,
  one: string,
  other: string,
  signal: AbortSignal,
): Promise<readonly Uint8Array[] | undefined> {
  const [a, b] = [parseCheckpoint(parseNote(one).text), parseCheckpoint(parseNote(other).text)];
  if (a.origin !== b.origin || a.size === b.size) return undefined;
  const [from, to] = a.size < b.size ? [a.size, b.size] : [b.size, a.size];
  try {
    const { hashes } = await client.logs.consistencyProof(tenant, { from, to }, { signal });
    return hashes.map((hash) => fromBase64(hash) ?? new Uint8Array());
  } catch (error) {
    // A service that can't be reached is not a service that refuses a proof.
    if (error instanceof ClientError && error.code !== 'UNREACHABLE') return undefined;
    throw error;
  }
}
