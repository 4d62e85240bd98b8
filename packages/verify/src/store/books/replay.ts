import { keyDigest, parseLetterEntry, readRecord } from '@tallystick/log';
import type { Query } from '../read-store.ts';

/** A dead letter as the records describe it. */
export interface ReplayedLetter {
  /** Digests of the facts that a record gave it. Two replicas may describe one dead letter with different numbers. */
  readonly about: Set<string>;
  /** SHA-256 of its bytes, hex. */
  raw: string;
  state: string;
  settledBy: string | null;
  /** Position of the record that named it last. */
  sequence: number;
}

/** An API key as the records describe it. */
export interface ReplayedKey {
  readonly about: string;
  revokedAt: string | null;
  sequence: number;
}

/** SHA-256 of no bytes, hex: what a purged dead letter has left. */
const noBytes = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const types = [
  'delivery.dead_lettered',
  'delivery.conflict',
  'audit.dead_letters_purged',
  'audit.dead_letter_retried',
  'audit.key_created',
  'audit.key_revoked',
  'audit.books_opened',
];

const pageSize = 200;

const pageSql = `
  select r.epoch::text as epoch, r.sequence_number::text as sequence_number, r.record
    from audit_records r
    join audit_chain_ranges g
      on g.tenant_id = r.tenant_id and g.epoch = r.epoch and r.sequence_number between 0 and g.last_sequence
   where r.tenant_id = $1 and r.event_type = any ($2::text[])
     and (r.epoch, r.sequence_number) > ($3::integer, $4::bigint)
   order by r.epoch, r.sequence_number
   limit ${pageSize}`;

/**
 * What the records of one chain say of dead letters and API keys. Only records that the service wrote itself count. The
 * memory that it uses grows with the number of dead letters and keys.
 */
export class ReplayedBooks {
  readonly letters = new Map<string, ReplayedLetter>();
  readonly keys = new Map<string, ReplayedKey>();

  /** Reads all of a tenant's chain, closed epochs included. */
  static async read(query: Query, tenantId: string): Promise<ReplayedBooks> {
    const books = new ReplayedBooks();
    let [epoch, sequence] = [0, -1];
    for (;;) {
      const rows = await query(pageSql, [tenantId, types, epoch, sequence]);
      for (const row of rows) {
        [epoch, sequence] = [Number(row.epoch), Number(row.sequence_number)];
        books.#apply(String(row.record), sequence);
      }
      if (rows.length < pageSize) return books;
    }
  }

  #apply(text: string, sequence: number): void {
    const record = recordOf(text);
    if (record === undefined || record.ingest.trust !== 'service') return;
    const {
      event_type,
      actor_id,
      timestamp,
      metadata = {},
    } = record.event as {
      readonly event_type: string;
      readonly actor_id: string;
      readonly timestamp: string;
      readonly metadata?: { readonly [name: string]: unknown };
    };
    const listed = Array.isArray(metadata.letters) ? metadata.letters : [];
    switch (event_type) {
      case 'delivery.dead_lettered':
        for (const entry of listed) this.#enter(entry, sequence);
        break;
      case 'delivery.conflict':
        this.#enter(metadata.dead_letter, sequence);
        break;
      case 'audit.dead_letters_purged':
        for (const entry of listed) this.#settle(String(entry).slice(0, 36), 'purged', actor_id, sequence);
        break;
      case 'audit.dead_letter_retried':
        this.#settle(metadata.dead_letter_id, 'retried', actor_id, sequence);
        break;
      case 'audit.books_opened':
        for (const entry of listed) this.#adoptLetter(entry, sequence);
        for (const entry of Array.isArray(metadata.keys) ? metadata.keys : [])
          this.#adoptKey(entry, sequence);
        break;
      case 'audit.key_created':
        this.#createKey(metadata, timestamp, sequence);
        break;
      case 'audit.key_revoked':
        this.#revokeKey(metadata.key_id, timestamp, sequence);
        break;
    }
  }

  #enter(entry: unknown, sequence: number): void {
    const parsed = parseLetterEntry(entry);
    if (parsed === undefined) return;
    const known = this.letters.get(parsed.id);
    const about = known?.about ?? new Set<string>();
    about.add(parsed.about);
    this.letters.set(parsed.id, { about, raw: parsed.raw, state: 'open', settledBy: null, sequence });
  }

  #settle(id: unknown, state: 'retried' | 'purged', by: string, sequence: number): void {
    const letter = this.letters.get(String(id));
    if (letter === undefined || letter.state === 'purged') return;
    letter.settledBy ??= by;
    letter.state = state;
    if (state === 'purged') letter.raw = noBytes;
    letter.sequence = sequence;
  }

  #adoptLetter(entry: unknown, sequence: number): void {
    const { letter, state, settled_by } = (entry ?? {}) as { readonly [name: string]: unknown };
    const parsed = parseLetterEntry(letter);
    if (parsed === undefined || this.letters.has(parsed.id)) return;
    this.letters.set(parsed.id, {
      about: new Set([parsed.about]),
      raw: parsed.raw,
      state: String(state),
      settledBy: typeof settled_by === 'string' ? settled_by : null,
      sequence,
    });
  }

  #adoptKey(entry: unknown, sequence: number): void {
    const { key_id, about, revoked_at } = (entry ?? {}) as { readonly [name: string]: unknown };
    if (this.keys.has(String(key_id))) return;
    const revokedAt = typeof revoked_at === 'string' ? revoked_at : null;
    this.keys.set(String(key_id), { about: String(about), revokedAt, sequence });
  }

  #createKey(facts: { readonly [name: string]: unknown }, createdAt: string, sequence: number): void {
    const id = String(facts.key_id);
    if (this.keys.has(id)) return;
    const about = keyDigest({
      id,
      name: String(facts.name),
      secret_sha256: String(facts.secret_sha256),
      scopes: facts.scopes as string[],
      tenants: (facts.tenants as string[] | undefined) ?? null,
      created_at: createdAt,
      expires_at: (facts.expires_at as string | undefined) ?? null,
      subject: (facts.subject as string | undefined) ?? null,
    });
    this.keys.set(id, { about, revokedAt: null, sequence });
  }

  #revokeKey(id: unknown, at: string, sequence: number): void {
    const key = this.keys.get(String(id));
    if (key === undefined || key.revokedAt !== null) return;
    key.revokedAt = at;
    key.sequence = sequence;
  }
}

/** A record that is not canonical is a finding of the chain's check, and says nothing here. */
function recordOf(text: string): ReturnType<typeof readRecord> | undefined {
  try {
    return readRecord(text);
  } catch {
    return undefined;
  }
}
