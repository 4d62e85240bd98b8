import type { AuditEventInput } from '../event/input.ts';
import { type AuditEmitter, createAuditEmitter } from './emitter.ts';
import type { AuditEventResult } from './result.ts';

/** The emitter of code that does not create one. Owned by this module; each thread has its own. */
let current: AuditEmitter | undefined;

/** The default emitter. The first call creates it from the environment variables. */
export function getAuditEmitter(): AuditEmitter {
  current ??= createAuditEmitter();
  return current;
}

/**
 * Replaces the default emitter, for example in a test or at the start of the application.
 *
 * @returns the previous default emitter, which is not closed
 */
export function setAuditEmitter(emitter: AuditEmitter | undefined): AuditEmitter | undefined {
  const before = current;
  current = emitter;
  return before;
}

/** Emits an event with the default emitter. Rejects only for a programming error. */
export async function emitAuditEvent(event: AuditEventInput): Promise<AuditEventResult> {
  return getAuditEmitter().emit(event);
}

/** The default emitter, to build an event with: `audit().for('acme').action(…)…emit()`. */
export function audit(): AuditEmitter {
  return getAuditEmitter();
}
