import type { AuditEvent } from '@tallystick/event';

/** A valid event with its canonical text. Sealing it needs no further check of its content. */
export interface AdmittedEvent {
  readonly event: AuditEvent;
  readonly canonical: string;
}
