import type { EventItem } from '../batch.ts';
import { principalEvent } from './service-event.ts';

/** What a record says of a sign-in to the console. It contains no secret. */
export interface SessionFacts {
  /** `key:<id>` or `login:<subject>`. Absent where the attempt named none that exists. */
  readonly by: string | undefined;
  readonly subject?: string | undefined;
  readonly session?: string | undefined;
  readonly method: string;
  readonly address: string | undefined;
  readonly now: number;
  readonly chain: string;
}

/** The record of a sign-in to the console, or of an attempt that was refused. */
export function signInRecord(facts: SessionFacts, outcome: 'success' | 'denied'): EventItem {
  return sessionEvent('auth.login', facts, outcome);
}

/** The record of a sign-out. A session that expires leaves no record: its end follows from its start. */
export function signOutRecord(facts: SessionFacts): EventItem {
  return sessionEvent('auth.logout', facts, 'success');
}

function sessionEvent(
  eventType: string,
  { by, subject, session, method, address, now, chain }: SessionFacts,
  outcome: 'success' | 'denied',
): EventItem {
  return principalEvent(
    { by: by ?? 'unknown', now, chain },
    {
      event_type: eventType,
      event_category: 'auth',
      ...(address !== undefined && { source_ip: address }),
      outcome: { outcome_status: outcome },
      ...(session !== undefined && { target_type: 'console_session', target_id: session }),
      metadata: { method, ...(subject !== undefined && { subject }) },
    },
  );
}
