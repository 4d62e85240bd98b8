import type { Row, Statement } from './database.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import { type Connection, sendCopyData, sendCopyStart } from './wire-protocol.ts';

/**
 * `copy … from stdin` as part of a {@link Pipeline}: statements, the COPY and its rows, further statements, one Sync.
 * The caller hands over rows while the server stores the rows before.
 *
 * We do not use the library `pg-copy-streams`: when the server refused a row while the stream waited for the socket to
 * drain, the stream wrote to a connection that it no longer had, and the TypeError, thrown from a socket event, ended
 * the process. It also needs an additional round trip.
 */
export class CopyPipeline extends Pipeline {
  readonly #copy: string;
  readonly #firstRows: string;
  /** Resolves when the client has submitted this pipeline, or when it failed before. */
  readonly #submitted = Promise.withResolvers<void>();
  #connection: Connection | undefined;
  /** While the socket's buffer is full: resolves when it has drained or the server has answered. */
  #room: PromiseWithResolvers<void> | undefined;

  /**
   * @param before statements that run before the COPY
   * @param copy `copy … from stdin`
   * @param firstRows sent together with the statements
   */
  constructor(before: readonly Statement[], copy: string, firstRows: string, options: PipelineOptions) {
    super(before, options);
    this.#copy = copy;
    this.#firstRows = firstRows;
    // `write` reports a failure by its result, so the error may be read much later, in `finish`.
    this.done.catch(() => undefined);
  }

  protected override begin(connection: Connection): void {
    this.#connection = connection;
    if (this.send(connection)) {
      sendCopyStart(connection, this.#copy);
      if (this.#firstRows !== '') this.#sendRows(connection, this.#firstRows);
    }
    this.#submitted.resolve();
  }

  protected override onSettled(): void {
    this.#submitted.resolve();
    this.#room?.resolve();
  }

  /**
   * Sends rows. Resolves as soon as they are in the socket's buffer, so that the caller computes the next rows while
   * these are on their way. Waits first while rows that were sent before fill the buffer.
   *
   * @returns false once the server has answered with an error: it will not take further rows
   */
  async write(rows: string): Promise<boolean> {
    const connection = await this.#ready();
    if (connection === undefined) return false;
    this.#sendRows(connection, rows);
    return true;
  }

  /**
   * Ends the COPY and runs statements after it.
   *
   * @returns the rows of each statement
   */
  async finish(statements: readonly Statement[]): Promise<Row[][]> {
    await this.#submitted.promise;
    const connection = this.#connection;
    if (connection !== undefined && !this.ended) {
      connection.stream.cork();
      connection.endCopyFrom();
      this.send(connection, statements);
      this.sync(connection);
      connection.stream.uncork();
    }
    return await this.done;
  }

  /** Ends the COPY so that the server drops its rows and the transaction fails. */
  async abandon(): Promise<void> {
    await this.#submitted.promise;
    if (this.#connection !== undefined && !this.ended) {
      this.#connection.sendCopyFail('the client gave up the COPY');
      this.sync(this.#connection);
    }
    await this.done.catch(() => undefined);
  }

  /** @returns the connection once it has room for rows; `undefined` when nothing more may be sent */
  async #ready(): Promise<Connection | undefined> {
    await this.#submitted.promise;
    await this.#room?.promise;
    this.#room = undefined;
    return this.ended ? undefined : this.#connection;
  }

  #sendRows(connection: Connection, rows: string): void {
    if (sendCopyData(connection, rows)) return;
    const room = Promise.withResolvers<void>();
    this.#room = room;
    connection.stream.once('drain', () => {
      this.progressed();
      room.resolve();
    });
  }
}
