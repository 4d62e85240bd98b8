import type { AuditEventInput } from '../event/input.ts';
import { type AuditEmitter, createAuditEmitter } from './emitter.ts';
import type { AuditEventResult } from './result.ts';

/** The emitter that code without one of its own uses. Owned by this module, one a thread. */
let current: AuditEmitter | undefined;

/** The default emitter, made from the environment on first use. */
export function getAuditEmitter(): AuditEmitter {
  current ??= createAuditEmitter();
  return current;
}

/** Replaces the default emitter (in tests, or at start); returns the one before, which the caller may close. */
export function setAuditEmitter(emitter: AuditEmitter | undefined): AuditEmitter | undefined {
  const before = current;
  current = emitter;
  return before;
}

/** Emits with the default emitter. Rejects only for a programming error. */
export async function emitAuditEvent(event: AuditEventInput): Promise<AuditEventResult> {
  return getAuditEmitter().emit(event);
}

/** The default emitter, to build an event with: `audit().for('acme').action(…)…emit()`. */
export function audit(): AuditEmitter {
  return getAuditEmitter();
}
