import { formatVerifierKey, type Verifier } from '@tallystick/log';
import type { ProcessContext } from '../process-context.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { decideTrust, type TrustDecision } from './decide-trust.ts';
import { pinOf, readKnownLogs, readVerifierKey, withPin, writeKnownLogs } from './known-logs.ts';

/** The log that a command verifies, as the service, store, bundle or receipt presents it. */
export interface LogUnderTest {
  readonly origin: string;
  /** The verifier key that it shows as its own. */
  readonly offered: Verifier | undefined;
  /** True for a service or a store, false for a file. */
  readonly isLive: boolean;
  /** For people: the address, the directory or the file. */
  readonly from: string;
}

/** What the choice of keys depends on, besides the log. */
export interface TrustSettings {
  readonly terminal: Terminal;
  readonly processContext: ProcessContext;
  /** Verifier keys from the command line, as written. */
  readonly logKeys: readonly string[];
}

/** Decides which keys are trusted for a log, pins a key at first use, and tells the user what changed. */
export function chooseKeys(context: TrustSettings, log: LogUnderTest): TrustDecision {
  const { env, now } = context.processContext;
  const given = context.logKeys.map(readVerifierKey);
  const known = readKnownLogs(env);
  const decision = decideTrust({ ...log, given, known });
  if (decision.pin !== undefined) {
    const pinnedAt = new Date(now()).toISOString();
    writeKnownLogs(env, withPin(known, pinOf(decision.pin, { pinnedAt, by: 'first-use', from: log.from })));
    context.terminal.note(`pinned ${formatVerifierKey(decision.pin)}`);
  }
  if (decision.notice !== undefined) {
    if (decision.pin !== undefined) context.terminal.note(decision.notice);
    else context.terminal.warn(decision.notice);
  }
  return decision;
}
