import {
  createVerifier,
  equalBytes,
  type KeyRotation,
  parseOrigin,
  parseVerifierKey,
  type Verifier,
} from '@tallystick/log';
import { type KnownLogs, otherEpochs } from './known-logs.ts';
import { keysBefore, pathBetween } from './rotations.ts';

/** Which key checks the checkpoints of a log, and why it is trusted. */
export interface TrustDecision {
  /**
   * - `given`: the key is on the command line.
   * - `pinned`: an earlier command pinned it.
   * - `first-use`: a live log showed it, and it is pinned now.
   * - `none`: there is no trusted key, so nothing can be verified.
   */
  readonly trust: 'given' | 'pinned' | 'first-use' | 'none';
  readonly verifiers: readonly Verifier[];
  /** A key to pin: at first use, for a new epoch of a log whose key is pinned, or after a rotation of that key. */
  readonly pin?: Verifier;
  /** Set where the pinned key signed the rotations that lead to `pin`. */
  readonly pinBy?: 'rotation';
  /** What the user must be told. */
  readonly notice?: string;
  /** Whether the service or store shows another key than the trusted one. */
  readonly keyChanged: boolean;
}

export interface TrustQuestion {
  /** Origin of the log under test. */
  readonly origin: string;
  /** Keys from the command line. */
  readonly given: readonly Verifier[];
  readonly known: KnownLogs;
  /** The key that the service, store or bundle shows as its own. It is only ever trusted at the first use of a live log. */
  readonly offered: Verifier | undefined;
  /** Rotations that the place shows or that were kept. Their signatures are checked already. */
  readonly rotations?: readonly KeyRotation[];
  /** True for a service or a store; false for a bundle or receipt, which anybody may have created. */
  readonly isLive: boolean;
}

/** Decides in this order: a given key, a pinned key, first use, none. Pure: the caller pins. */
export function decideTrust(question: TrustQuestion): TrustDecision {
  const { origin, given, known, offered, isLive, rotations = [] } = question;
  const ownOffer = offered?.name === origin ? offered : undefined;
  const named = given.filter(({ name }) => name === origin);
  if (given.length > 0) {
    const keyChanged = ownOffer !== undefined && !named.some((verifier) => isSameKey(verifier, ownOffer));
    const notice = named.length === 0 ? `none of the given keys is for ${origin}` : undefined;
    return { trust: 'given', verifiers: named, keyChanged, ...(notice !== undefined && { notice }) };
  }
  const pinned = known.get(origin)?.pin;
  if (pinned !== undefined) {
    const verifier = parseVerifierKey(pinned.key);
    const rotated = decideRotation(question, verifier, ownOffer);
    if (rotated !== undefined) return rotated;
    const keyChanged = ownOffer !== undefined && !isSameKey(verifier, ownOffer);
    const notice = keyChanged
      ? `${origin} now shows another key than the one pinned on ${pinned.pinnedAt.slice(0, 10)}: this may be an impostor`
      : undefined;
    const verifiers = [verifier, ...keysBefore(origin, verifier.publicKey, rotations)];
    return { trust: 'pinned', verifiers, keyChanged, ...(notice !== undefined && { notice }) };
  }
  const sibling = keyOfOtherEpoch(origin, known);
  if (sibling !== undefined) return decideNewEpoch(question, sibling, ownOffer);
  if (isLive && ownOffer !== undefined) {
    const notice = `the key of ${origin} is trusted at first use, and is pinned from now on`;
    const verifiers = [ownOffer, ...keysBefore(origin, ownOffer.publicKey, rotations)];
    return { trust: 'first-use', verifiers, pin: ownOffer, notice, keyChanged: false };
  }
  const notice = isLive
    ? `no key is known for ${origin}, and the log shows none`
    : `no key is known for ${origin}: give the key that its operator publishes (--key '<name>+<id>+<key>'); ` +
      'a key inside the file itself proves nothing';
  return { trust: 'none', verifiers: [], notice, keyChanged: false };
}

/**
 * A key that the trusted one endorsed is trusted too. Only a live log moves the pin: a file may be old, and another key may have
 * come since.
 *
 * @returns `undefined` where no rotation leads from the trusted key to the one that is shown
 */
function decideRotation(
  { origin, rotations = [], isLive }: TrustQuestion,
  trusted: Verifier,
  offered: Verifier | undefined,
): TrustDecision | undefined {
  if (offered === undefined || isSameKey(trusted, offered)) return undefined;
  const path = pathBetween(trusted.publicKey, offered.publicKey, rotations);
  if (path === undefined) return undefined;
  const on = path.map(({ rotatedAt }) => rotatedAt.slice(0, 10)).join(' and ');
  const notice = `the key of ${origin} was rotated on ${on}; the key that you trust signed this, and the new key is ${isLive ? 'pinned from now on' : 'trusted for this file'}`;
  const verifiers = [
    offered,
    createVerifier(origin, trusted.publicKey),
    ...keysBefore(origin, offered.publicKey, rotations),
  ];
  const decision = { trust: 'pinned', verifiers, notice, keyChanged: false } as const;
  return isLive ? { ...decision, pin: offered, pinBy: 'rotation' } : decision;
}

/** A recovered log begins a new epoch. The same key under the new name is trusted as before, and so is one that it endorsed. */
function decideNewEpoch(
  question: TrustQuestion,
  sibling: Verifier,
  offered: Verifier | undefined,
): TrustDecision {
  const { origin, rotations = [] } = question;
  const verifier = createVerifier(origin, sibling.publicKey);
  const rotated = decideRotation(question, verifier, offered);
  if (rotated !== undefined) return rotated;
  const keyChanged = offered !== undefined && !isSameKey(verifier, offered);
  const notice = keyChanged
    ? `${origin} shows another key than the one pinned for the earlier epoch ${sibling.name}: this may be an impostor`
    : `${origin} is a new epoch with the key that was pinned for ${sibling.name}`;
  return {
    trust: 'pinned',
    verifiers: [verifier, ...keysBefore(origin, verifier.publicKey, rotations)],
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
