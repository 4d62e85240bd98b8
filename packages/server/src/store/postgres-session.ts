import type pg from 'pg';
import { CopyPipeline } from './copy-pipeline.ts';
import {
  type CopyIn,
  type CopyResult,
  type Row,
  type RowsOf,
  type Session,
  type Statement,
  type Timeouts,
  uniqueViolationAsResult,
} from './database.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { type PostgresConnections, resultTypes } from './postgres-connections.ts';
import { ResponseWatchdog } from './response-watchdog.ts';
import type { StuckSessionReaper } from './stuck-session-reaper.ts';

/**
 * When the server has been silent for longer than this, a new transaction asks for a first answer before it sends
 * statements that may have to wait for a lock, ms. Under load that would only be one more answer to read.
 */
const trustedSilenceMs = 1_000;

export interface SessionContext {
  readonly connections: PostgresConnections;
  readonly reaper: StuckSessionReaper;
  readonly timeouts: Timeouts;
}

/** One transaction on one connection. It begins with the first statement, in the same round trip. */
export class PostgresSession implements Session {
  readonly #client: pg.PoolClient;
  readonly #context: SessionContext;
  /** The statements that begin the transaction, until they are sent. */
  #opening: readonly Statement[] | undefined;
  #unfinishedCopy: PostgresCopy | undefined;

  constructor(client: pg.PoolClient, opening: readonly Statement[], context: SessionContext) {
    this.#client = client;
    this.#opening = opening;
    this.#context = context;
  }

  get begun(): boolean {
    return this.#opening === undefined;
  }

  get hasUnfinishedCopy(): boolean {
    return this.#unfinishedCopy !== undefined;
  }

  async query<R extends object = Row>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    const [rows] = await this.pipeline({ text, values });
    return rows as object[] as R[];
  }

  async pipeline<const S extends readonly Statement<object>[]>(...statements: S): Promise<RowsOf<S>> {
    if (statements.length === 0) return [] as RowsOf<S>;
    await this.abandonCopy();
    const { answers } = this.#run(
      statements as readonly Statement[],
      (all, options) => new Pipeline(all, options),
    );
    return (await answers) as object[][] as RowsOf<S>;
  }

  beginCopy(copy: string, before: readonly Statement[] = []): CopyIn {
    this.#unfinishedCopy = new PostgresCopy(
      (firstRows) => this.#run(before, (all, options) => new CopyPipeline(all, copy, firstRows, options)),
      () => {
        this.#unfinishedCopy = undefined;
      },
    );
    return this.#unfinishedCopy;
  }

  /** Drops the rows of a COPY that was not finished. The transaction has failed then. */
  async abandonCopy(): Promise<void> {
    await this.#unfinishedCopy?.abandon();
  }

  /** Submits a pipeline of these statements, after those that begin the transaction. */
  #run<P extends Pipeline>(
    statements: readonly Statement[],
    make: (all: readonly Statement[], options: PipelineOptions) => P,
  ): Running<P> {
    const { connections, reaper, timeouts } = this.#context;
    const { connectMs, answerMs } = timeouts;
    const client = this.#client;
    const opening = this.#opening ?? [];
    this.#opening = undefined;
    const asksFirst = opening.length > 0 && connections.silenceOf(client) > trustedSilenceMs;
    const watchdog = new ResponseWatchdog(client);
    const pipeline = make([...opening, ...statements], {
      types: resultTypes,
      onProgress: () => watchdog.progressed(),
      ...(asksFirst && { answerFirst: opening.length }),
    });
    const read = async () => {
      // A COPY may wait for a lock too: a duplicate row waits for the transaction that has inserted the first one.
      const done = reaper.guard(connections.backendOf(client), client.query(pipeline).done);
      const results = await watchdog.wait(answerMs, done, asksFirst ? connectMs : answerMs);
      connections.answered(client);
      return results.slice(opening.length);
    };
    return { pipeline, answers: read() };
  }
}

/** A pipeline that was submitted, and the rows of the caller's statements. */
interface Running<P extends Pipeline> {
  readonly pipeline: P;
  readonly answers: Promise<Row[][]>;
}

class PostgresCopy implements CopyIn {
  readonly #start: (firstRows: string) => Running<CopyPipeline>;
  readonly #onEnd: () => void;
  /** Undefined until there are rows: nothing has been sent, so that the first rows go out together with the statements. */
  #running: Running<CopyPipeline> | undefined;
  #hasEnded = false;

  constructor(start: (firstRows: string) => Running<CopyPipeline>, onEnd: () => void) {
    this.#start = start;
    this.#onEnd = onEnd;
  }

  async write(rows: string): Promise<boolean> {
    this.#assertOpen();
    if (this.#running !== undefined) return await this.#running.pipeline.write(rows);
    this.#begin(rows);
    return true;
  }

  async finish(after: readonly Statement[] = []): Promise<CopyResult> {
    this.#assertOpen();
    const { pipeline, answers } = this.#running ?? this.#begin('');
    this.#end();
    return await uniqueViolationAsResult(pipeline.finish(after).then(() => answers));
  }

  async abandon(): Promise<void> {
    this.#end();
    await this.#running?.pipeline.abandon();
  }

  #begin(firstRows: string): Running<CopyPipeline> {
    this.#running = this.#start(firstRows);
    // `finish` reads the error, which may come long before.
    this.#running.answers.catch(() => undefined);
    return this.#running;
  }

  #end(): void {
    this.#hasEnded = true;
    this.#onEnd();
  }

  #assertOpen(): void {
    if (this.#hasEnded) throw new Error('the COPY has ended: begin another one');
  }
}
