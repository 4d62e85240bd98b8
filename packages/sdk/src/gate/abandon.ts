import type { AuditEventInput } from '../event/input.ts';
import { GateError, type GateErrorCode, type GateErrorDetails } from './errors.ts';
import type { Intent } from './intent.ts';
import type { AnyEmitter } from './options.ts';
import { abandonedEvent } from './records.ts';

/** Records that the effect does not run, and throws the error that the caller gets. */
export function abandon(
  audit: AnyEmitter,
  intent: Intent,
  code: GateErrorCode,
  message: string,
  details: Omit<GateErrorDetails, 'intentId'> = {},
): never {
  recordAbandonment(audit, intent, code, details.approvalId);
  throw new GateError(code, message, { intentId: intent.intentId, ...details });
}

/** Records that the effect does not run. Nothing waits for the record. */
export function recordAbandonment(
  audit: AnyEmitter,
  intent: Intent,
  code: GateErrorCode,
  approvalId: string | undefined,
): void {
  audit.emit(abandonedEvent(intent, code, approvalId) as AuditEventInput);
}
