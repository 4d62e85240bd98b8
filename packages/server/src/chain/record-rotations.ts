import { formatVerifierKey, parseNote, parseRotation } from '@tallystick/log';
import { rotationRecord } from './service-records/rotation-record.ts';
import type { Writer } from './writer.ts';

/** Where the rotations of the signing key are kept. The signer's store is one. */
export interface RotationLedger {
  /** Oldest first. */
  rotations(): readonly {
    readonly id: number;
    readonly statement: string;
    readonly reason: string;
    readonly by: string;
    readonly isRecorded: boolean;
  }[];
  markRecorded(id: number, at: string): void;
  /** Retries a call while another process holds the lock of the ledger. */
  patiently<T>(call: () => T): Promise<T>;
}

/**
 * Writes the records of rotations that the chain of the service's tenant does not have yet. A crash between a record and its mark
 * repeats the call for a record that is a duplicate then.
 */
export async function recordRotations(
  ledger: RotationLedger,
  { writer, serviceTenant }: { readonly writer: Writer; readonly serviceTenant: string },
  now: number,
): Promise<void> {
  for (const { id, statement, reason, by, isRecorded } of await ledger.patiently(() => ledger.rotations())) {
    if (isRecorded) continue;
    const { logName, oldKey, newKey, rotatedAt, logs } = parseRotation(parseNote(statement).text);
    const keys = { oldKey: formatVerifierKey(oldKey), newKey: formatVerifierKey(newKey) };
    const record = rotationRecord(
      { logName, ...keys, rotatedAt, logs, statement, reason, by },
      serviceTenant,
    );
    await writer.submit([record]);
    await ledger.patiently(() => ledger.markRecorded(id, new Date(now).toISOString()));
  }
}
