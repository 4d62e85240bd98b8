import { createVerifier, equalBytes, parseOrigin, parseVerifierKey, type Verifier } from '@tallystick/log';
import { type KnownLogs, otherEpochs } from './known-logs.ts';

/** What a log's checkpoints are checked with, and why that key is believed. */
export interface TrustDecision {
  /**
   * `given`: on the command line; `pinned`: by an earlier decision; `first-use`: this one, to be pinned now; `none`:
   * nobody vouches for a key, so nothing can be verified.
   */
  readonly trust: 'given' | 'pinned' | 'first-use' | 'none';
  readonly verifiers: readonly Verifier[];
  /** A key to pin, and why: first use, or a new epoch of a log whose key is pinned. */
  readonly pin?: Verifier;
  /** What the user has to know. */
  readonly notice?: string;
  /** The place under test offers another key than the one that is trusted. */
  readonly keyChanged: boolean;
}

export interface TrustQuestion {
  /** Origin of the log under test. */
  readonly origin: string;
  /** Keys from the command line. */
  readonly given: readonly Verifier[];
  readonly known: KnownLogs;
  /** The key that the place under test says is its own: believed at first use of a live one at most. */
  readonly offered: Verifier | undefined;
  /** A running service, or the store's own directory; false for a bundle, which anybody may have made. */
  readonly isLive: boolean;
}

/** A given key before a pinned one before first use before none. Pure: pinning is the caller's. */
export function decideTrust(question: TrustQuestion): TrustDecision {
  const { origin, given, known, offered, isLive } = question;
  const ownOffer = offered?.name === origin ? offered : undefined;
  const named = given.filter(({ name }) => name === origin);
  if (given.length > 0) {
    const keyChanged = ownOffer !== undefined && !named.some((verifier) => isSameKey(verifier, ownOffer));
    const notice = named.length === 0 ? `none of the keys given is for ${origin}` : undefined;
    return { trust: 'given', verifiers: named, keyChanged, ...(notice !== undefined && { notice }) };
  }
  const pinned = known.get(origin)?.pin;
  if (pinned !== undefined) {
    const verifier = parseVerifierKey(pinned.key);
    const keyChanged = ownOffer !== undefined && !isSameKey(verifier, ownOffer);
    const notice = keyChanged
      ? `${origin} now shows another key than the one pinned on ${pinned.pinnedAt.slice(0, 10)}. If its operator really ` +
        `changed it, pin the new one (tally log-keys pin KEY); otherwise somebody else is answering`
      : undefined;
    return { trust: 'pinned', verifiers: [verifier], keyChanged, ...(notice !== undefined && { notice }) };
  }
  const sibling = keyOfOtherEpoch(origin, known);
  if (sibling !== undefined) return decideNewEpoch(origin, sibling, ownOffer);
  if (isLive && ownOffer !== undefined) {
    const notice = `the key of ${origin} is trusted at first use and pinned from now on`;
    return { trust: 'first-use', verifiers: [ownOffer], pin: ownOffer, notice, keyChanged: false };
  }
  const notice = isLive
    ? `no key is known for ${origin}, and it shows none`
    : `no key is known for ${origin}: give the one its operator publishes (--key '<name>+<id>+<key>'); ` +
      `a key that lies inside a bundle proves nothing`;
  return { trust: 'none', verifiers: [], notice, keyChanged: false };
}

/** A recovered log begins a new epoch: the same key under a new name is the one that was trusted before. */
function decideNewEpoch(origin: string, sibling: Verifier, offered: Verifier | undefined): TrustDecision {
  const verifier = createVerifier(origin, sibling.publicKey);
  const keyChanged = offered !== undefined && !isSameKey(verifier, offered);
  const notice = keyChanged
    ? `${origin} shows another key than the earlier epoch pinned as ${sibling.name}; pin it by hand if its operator confirms it`
    : `${origin} is a new epoch under the key pinned as ${sibling.name}`;
  return {
    trust: 'pinned',
    verifiers: [verifier],
    notice,
    keyChanged,
    ...(!keyChanged && { pin: verifier }),
  };
}

function keyOfOtherEpoch(origin: string, known: KnownLogs): Verifier | undefined {
  const { epoch } = parseOrigin(origin);
  const earlier = otherEpochs(known, origin).find(
    (other) => other.epoch < epoch && other.entry.pin !== undefined,
  );
  return earlier === undefined ? undefined : parseVerifierKey(earlier.entry.pin!.key);
}

function isSameKey(a: Verifier, b: Verifier): boolean {
  return equalBytes(a.publicKey, b.publicKey);
}
