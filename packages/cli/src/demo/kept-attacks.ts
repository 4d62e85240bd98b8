import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PgliteDatabase, type Session } from '@tallystick/server/store';
import { consoleAddress } from '../service/console.ts';
import { type Attack, deleteRow, editField, hideRecord, indexTables, type Target } from './attacks.ts';
import { rewriteRecords } from './forger.ts';
import { type Directories, type RunningService, type StartOptions, startService } from './running-service.ts';

/** What a person can type while the service of a demo runs. */
export const attackWords = ['change', 'remove', 'hide', 'rewrite', 'undo'] as const;

/** One of {@link attackWords}. */
export type AttackWord = (typeof attackWords)[number];

/** Attacks on one record, while the service runs. */
const ofOneRecord = { change: editField, remove: deleteRow, hide: hideRecord } as const;

/** How an attack is undone. */
type Undo = () => Promise<void>;

/**
 * A service that goes on after a demo, with attacks on its trail for a person who watches them in the console. One attack stands at a time, and
 * can be undone. This object owns the service and replaces it where an attack needs it stopped.
 */
export class KeptAttacks implements AsyncDisposable {
  readonly target: Target;
  readonly #directories: Directories;
  readonly #options: StartOptions;
  #running: RunningService;
  #undo: Undo | undefined;
  /** Where the genuine trail is while the chain is rewritten. */
  #copy: string | undefined;

  private constructor(
    running: RunningService,
    directories: Directories,
    target: Pick<Target, 'tenantId' | 'sequence'>,
    options: StartOptions,
  ) {
    this.#running = running;
    this.#directories = directories;
    this.#options = options;
    this.target = { ...target, logName: running.service.logs.logName };
  }

  static async start(
    directories: Directories,
    target: Pick<Target, 'tenantId' | 'sequence'>,
    options: StartOptions = {},
  ): Promise<KeptAttacks> {
    return new KeptAttacks(await startService(directories, options), directories, target, options);
  }

  get running(): RunningService {
    return this.#running;
  }

  /** Address of a record of the attacked chain in the console. */
  recordLink(auditId: string): string {
    return `${consoleAddress(this.#running.url)}events?tenant=${this.target.tenantId}&event=${auditId}`;
  }

  /** Address of the list of all events of one type. */
  listLink(eventType: string): string {
    const query = new URLSearchParams({ tenant: this.target.tenantId, event_type: eventType });
    return `${consoleAddress(this.#running.url)}events?${query}`;
  }

  /** `audit_id` of a record of the attacked chain. */
  async idAt(sequence: number): Promise<string | undefined> {
    return (await this.recordAt(sequence))?.auditId;
  }

  /** A record of the attacked chain; `undefined` if it is gone. */
  async recordAt(
    sequence: number,
  ): Promise<{ readonly auditId: string; readonly eventType: string } | undefined> {
    const { events } = await this.#running.client.events.list({
      tenant_id: this.target.tenantId,
      filters: { sequence_from: sequence, sequence_to: sequence },
      include_reads: true,
      limit: 10,
    });
    const [event] = events;
    return event && { auditId: String(event.audit_id), eventType: String(event.event_type) };
  }

  /** @returns false where there is nothing to undo, or an attack has to be undone first */
  async perform(word: AttackWord): Promise<boolean> {
    if (word === 'undo') {
      if (this.#undo === undefined) return false;
      await this.#undo();
      this.#undo = undefined;
      return true;
    }
    if (this.#undo !== undefined) return false;
    this.#undo = word === 'rewrite' ? await this.#rewrite() : await this.#damage(ofOneRecord[word]);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
    if (this.#copy !== undefined) rmSync(this.#copy, { recursive: true, force: true });
  }

  /** One record is attacked while the service runs. Records that are chained afterwards stay when it is undone. */
  async #damage(attack: Attack): Promise<Undo> {
    const { tenantId, sequence } = this.target;
    const place = [tenantId, sequence];
    const tables = ['audit_records', ...indexTables];
    const genuine = await this.#asAttacker(async (session) => {
      const rows: { readonly table: string; readonly row: string }[] = [];
      for (const table of tables) {
        const found = await session.query<{ row: object }>(
          `select to_jsonb(r) as row from ${table} r where tenant_id = $1 and sequence_number = $2`,
          place,
        );
        rows.push(...found.map(({ row }) => ({ table, row: JSON.stringify(row) })));
      }
      await attack.run(session, this.target);
      return rows;
    });
    return async () => {
      await this.#asAttacker(async (session) => {
        for (const table of tables)
          await session.query(`delete from ${table} where tenant_id = $1 and sequence_number = $2`, place);
        for (const { table, row } of genuine)
          await session.query(
            `insert into ${table} select * from jsonb_populate_record(null::${table}, $1)`,
            [row],
          );
      });
    };
  }

  /**
   * The operator rewrites the chain from one record on: with the signing key, and without the checkpoints that it signed before. Hashes, links,
   * tree and signatures fit. Only a checkpoint that someone else kept contradicts them.
   */
  async #rewrite(): Promise<Undo> {
    const { trail, signer } = this.#directories;
    const { tenantId, sequence } = this.target;
    const copy = mkdtempSync(join(tmpdir(), 'tallystick-genuine-'));
    this.#copy = copy;
    await this.#whileStopped(async () => {
      cpSync(trail, join(copy, 'trail'), { recursive: true });
      cpSync(signer, join(copy, 'signer'), { recursive: true });
      const database = await PgliteDatabase.open(trail);
      try {
        await database.asOwner(async (session) => {
          await session.query('set local session_replication_role = replica');
          await rewriteRecords(session, tenantId, ({ event, sequence_number }) =>
            sequence_number === sequence ? { event: { ...event, actor_id: 'somebody-else' } } : {},
          );
          await session.query(
            "update audit_records set actor_id = 'somebody-else' where tenant_id = $1 and sequence_number = $2",
            [tenantId, sequence],
          );
          await session.query('delete from audit_checkpoints where tenant_id = $1', [tenantId]);
        });
      } finally {
        await database.close();
      }
      forgetSigned(signer, `${this.target.logName}/${tenantId}/1`);
    });
    return async () => {
      await this.#whileStopped(async () => {
        for (const [name, place] of [
          ['trail', trail],
          ['signer', signer],
        ] as const) {
          rmSync(place, { recursive: true, force: true });
          cpSync(join(copy, name), place, { recursive: true });
        }
      });
      rmSync(copy, { recursive: true, force: true });
      this.#copy = undefined;
    };
  }

  async #asAttacker<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const { database } = this.#running.service;
    if (!(database instanceof PgliteDatabase)) throw new Error('the store is not embedded');
    return await database.asOwner(async (session) => {
      await session.query('set local session_replication_role = replica');
      return await work(session);
    });
  }

  /** Stops the service and starts it again at its address. Sessions of the console stay: they are in the store. */
  async #whileStopped(work: () => Promise<void>): Promise<void> {
    const { url, key } = this.#running;
    await this.#running[Symbol.asyncDispose]();
    try {
      await work();
    } finally {
      this.#running = await startService(this.#directories, {
        ...this.#options,
        port: Number(new URL(url).port),
        key,
      });
    }
  }
}

/** Makes the signer forget what it signed for a log. It would otherwise refuse to sign another tree of that size. */
function forgetSigned(directory: string, origin: string): void {
  const database = new DatabaseSync(join(directory, 'signer.sqlite'));
  try {
    database.prepare('delete from signed_head where origin = ?').run(origin);
  } finally {
    database.close();
  }
}
