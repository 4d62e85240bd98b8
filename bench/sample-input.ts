import type { AuditEventInput } from '@tallystick/sdk';
import { sampleEvent } from './sample-event.ts';

/** The sample event with the field names of the SDK. */
export function sampleInput(): AuditEventInput {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(sampleEvent('acme'))) {
    if (name === 'audit_id' || name === 'timestamp' || name === 'source_service') continue;
    event[name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  return event as unknown as AuditEventInput;
}
