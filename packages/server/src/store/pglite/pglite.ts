import { ServerError } from '../../errors.ts';
import {
  type Access,
  type Database,
  defaultTimeouts,
  type Row,
  type RowsOf,
  type Session,
  type Statement,
  transactionSettings,
} from '../database.ts';
import { plainRoles } from '../database-roles.ts';
import { DirectoryLock } from '../directory-lock.ts';
import { asUnavailable } from '../postgres-errors.ts';
import { EngineKeeper } from './engine-keeper.ts';
import type { Step } from './messages.ts';
import { PgliteSession } from './session.ts';
import { type SpaceOptions, SpaceWatch } from './space-watch.ts';
import { Statistics } from './statistics.ts';

/** How the embedded store is opened. */
export interface PgliteOptions extends SpaceOptions {
  /** How long PGlite may be silent during a statement before its thread is ended and started again, ms. @defaultValue 30000 */
  readonly answerMs?: number | undefined;
}

/** A migration builds indexes, and reports nothing before it is done. */
const ownerAnswerMs = 3_600_000;

const begin: Step = { script: 'begin isolation level read committed' };

/**
 * Postgres in this process, in a thread of its own. Committed data survives a killed process but not a power cut: PGlite
 * runs without fsync. A user who can open the directory is its superuser, so roles only protect against mistakes here.
 *
 * Every call ends in bounded time. When the disk is nearly full, writes are refused with `STORE_FULL` and reads go on.
 */
export class PgliteDatabase implements Database {
  readonly kind = 'pglite';
  readonly #keeper: EngineKeeper;
  readonly #space: SpaceWatch;
  readonly #lock: DirectoryLock | undefined;
  readonly #answerMs: number;
  readonly #statistics = new Statistics();
  /** The end of the last transaction that was asked for. PGlite has one connection, so they run one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(keeper: EngineKeeper, space: SpaceWatch, lock?: DirectoryLock, answerMs?: number) {
    this.#keeper = keeper;
    this.#space = space;
    this.#lock = lock;
    this.#answerMs = answerMs ?? defaultTimeouts.answerMs;
  }

  /**
   * @param directory holds the data; without it the data is kept in memory
   * @throws {ServerError} `DATA_DIRECTORY_LOCKED` while another process has it open; `STORE_FULL`; `STORE_UNAVAILABLE`
   */
  static async open(directory?: string, options: PgliteOptions = {}): Promise<PgliteDatabase> {
    const lock = directory === undefined ? undefined : new DirectoryLock(directory);
    try {
      const space = new SpaceWatch(directory, options);
      const keeper = await EngineKeeper.open(directory, space);
      return new PgliteDatabase(keeper, space, lock, options.answerMs);
    } catch (cause) {
      lock?.release();
      if (cause instanceof ServerError && cause.code === 'STORE_FULL') throw cause;
      throw new ServerError('STORE_UNAVAILABLE', 'the embedded store could not be opened', {
        cause,
        details: { directory },
      });
    }
  }

  async transaction<T>(access: Access, work: (session: Session) => Promise<T>): Promise<T> {
    const { text, values = [] } = transactionSettings(access, defaultTimeouts, plainRoles);
    const result = await this.#run([begin, { text, values }], this.#answerMs, work);
    this.#statistics.add(access.role);
    if (this.#statistics.isDue) this.#renewStatistics();
    return result;
  }

  async read<const S extends readonly Statement<object>[]>(
    access: Access,
    ...statements: S
  ): Promise<RowsOf<S>> {
    return await this.transaction(access, (session) => session.pipeline(...statements));
  }

  async query<R extends object = Row>(
    access: Access,
    sql: string,
    parameters?: readonly unknown[],
  ): Promise<R[]> {
    return await this.transaction(access, (session) => session.query<R>(sql, parameters));
  }

  /** Runs a script as the superuser: migrations only. */
  async execute(script: string): Promise<void> {
    await this.#inTurn(() => this.#keeper.thread.call([{ script }], ownerAnswerMs));
  }

  /** Runs `work` in a transaction as the superuser: migrations, and tests that act as the operator. */
  async asOwner<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#run([begin], ownerAnswerMs, work);
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#keeper.close(this.#answerMs));
    this.#lock?.release();
  }

  async #run<T>(
    opening: readonly Step[],
    answerMs: number,
    work: (session: Session) => Promise<T>,
  ): Promise<T> {
    // Refused before it waits for its turn, too: others may wait for a store that is gone.
    this.#keeper.assertRunning();
    const result = await this.#inTurn(async () => {
      const session = new PgliteSession(
        { thread: this.#keeper.thread, space: this.#space, answerMs },
        opening,
      );
      let committing = false;
      try {
        const result = await work(session);
        committing = true;
        await session.commit();
        return result;
      } catch (error) {
        // A thread that has failed took the transaction with it.
        await session.rollback().catch(() => undefined);
        throw committing ? withUnknownOutcome(error) : asUnavailable(error, false);
      }
    });
    if (this.#space.checkpointIsDue) this.#checkpoint();
    return result;
  }

  /** Nobody waits for it but the next transaction. A failure shows there. */
  #checkpoint(): void {
    this.#space.checkpointed();
    this.#inTurn(() => this.#keeper.thread.call([{ script: 'checkpoint' }], ownerAnswerMs)).catch(
      () => undefined,
    );
  }

  /** No caller waits for this, and a failure is ignored: without new statistics the store is slower, and a full disk has no room for them. */
  #renewStatistics(): void {
    const call = (steps: readonly Step[]) =>
      this.#inTurn(async () => {
        await this.#space.assertRoomFor(0);
        return await this.#keeper.thread.call(steps, ownerAnswerMs);
      });
    this.#statistics.renew(call).catch(() => undefined);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}

/** The thread ended during the commit: the transaction is stored completely or not at all. */
function withUnknownOutcome(error: unknown): unknown {
  if (!(error instanceof ServerError)) return asUnavailable(error, true);
  const details = { ...error.details, outcome: 'unknown' };
  return new ServerError(error.code, error.message, { cause: error, details });
}
