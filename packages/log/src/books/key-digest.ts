import { canonicalize } from '@tallystick/event';
import { sha256 } from '#sha256';
import { toHex } from '../bytes.ts';

/** An API key as the books know it. Times are RFC 3339 with milliseconds. */
export interface KeyFacts {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the secret's stored hash, hex. The hash itself is not in the trail: its readers have no need of it. */
  readonly secret_sha256: string;
  readonly scopes: readonly string[];
  /** Null: every tenant. */
  readonly tenants: readonly string[] | null;
  readonly created_at: string;
  readonly expires_at: string | null;
  /** Absent or null: the key is not bound to a person or agent. */
  readonly subject?: string | null;
}

/** Digest of an API key: SHA-256 of the canonical JSON of the facts, hex (spec/books.md). A subject of null is left out. */
export function keyDigest(facts: KeyFacts): string {
  const { id, name, secret_sha256, scopes, tenants, created_at, expires_at, subject } = facts;
  const bound = typeof subject === 'string' ? { subject } : {};
  const digested = { id, name, secret_sha256, scopes, tenants, created_at, expires_at, ...bound };
  return toHex(sha256(canonicalize(digested)));
}
