import { canonicalize } from '@tallystick/event';
import { sha256 } from '#sha256';
import { toHex } from '../bytes.ts';

/** What the books say of a dead letter beside its bytes. */
export interface LetterFacts {
  readonly id: string;
  readonly tenant_id: string | null;
  readonly audit_id: string | null;
  readonly source: string;
  readonly principal: string | null;
  readonly producer_id: string | null;
  readonly producer_seq: number | null;
  readonly reason: string;
  readonly pointer: string;
  readonly message: string;
}

/** A dead letter as a record of the service names it (spec/books.md). Both digests are SHA-256, hex. */
export interface LetterEntry {
  readonly id: string;
  /** Code of the refusal. For people: `about` covers the whole one. */
  readonly reason: string;
  /** Of the bytes that were received. */
  readonly raw: string;
  /** Of the facts beside them: see {@link letterDigest}. */
  readonly about: string;
}

/** Digest of what is stored beside the bytes of a dead letter: SHA-256 of the canonical JSON of the facts, hex. */
export function letterDigest(facts: LetterFacts): string {
  const { id, tenant_id, audit_id, source, principal, producer_id, producer_seq, reason, pointer, message } =
    facts;
  const described = {
    id,
    tenant_id,
    audit_id,
    source,
    principal,
    producer_id,
    producer_seq,
    reason,
    pointer,
    message,
  };
  return toHex(sha256(canonicalize(described)));
}

const maxReasonLength = 64;

/** One text per dead letter, because the number of an event's members is limited. */
export function formatLetterEntry({ id, reason, raw, about }: LetterEntry): string {
  return `${id} ${reason.slice(0, maxReasonLength).toWellFormed()} sha256:${raw} about:${about}`;
}

const pattern = /^([0-9a-f-]{36}) (.*) sha256:([0-9a-f]{64}) about:([0-9a-f]{64})$/s;

/** Reads what {@link formatLetterEntry} writes; `undefined` for any other text. */
export function parseLetterEntry(text: unknown): LetterEntry | undefined {
  const match = typeof text === 'string' ? pattern.exec(text) : null;
  if (match === null) return undefined;
  return { id: match[1]!, reason: match[2]!, raw: match[3]!, about: match[4]! };
}
