import { formatVerifierKey, type Verifier } from '@tallystick/log';
import type { Context } from '../context.ts';
import { pinOf, readKnownLogs, readVerifierKey, withPin, writeKnownLogs } from '../settings/known-logs.ts';
import { decideTrust, type TrustDecision } from '../settings/trust.ts';

export interface Place {
  readonly origin: string;
  readonly offered: Verifier | undefined;
  readonly isLive: boolean;
  readonly from: string;
}

/** Decides which key counts, pins what is to be pinned, and says what the user must know. */
export function decide(context: Context, place: Place): TrustDecision {
  const { env, now } = context.surroundings;
  const given = context.logKeys.map(readVerifierKey);
  const known = readKnownLogs(env);
  const decision = decideTrust({ ...place, given, known });
  if (decision.pin !== undefined) {
    const pinnedAt = new Date(now()).toISOString();
    writeKnownLogs(env, withPin(known, pinOf(decision.pin, { pinnedAt, by: 'first-use', from: place.from })));
    context.terminal.note(`pinned ${formatVerifierKey(decision.pin)}`);
  }
  if (decision.notice !== undefined) {
    if (decision.pin !== undefined) context.terminal.note(decision.notice);
    else context.terminal.warn(decision.notice);
  }
  return decision;
}
