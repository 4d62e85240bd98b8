import type { Socket } from 'node:net';
import pg from 'pg';
import type { Row, Statement } from './database.ts';

/** How the client renders a parameter. Not in its types. */
const { prepareValue } = (pg as unknown as { readonly utils: { prepareValue(value: unknown): unknown } })
  .utils;

/** What a query of the `pg` client may do with its connection while it is the active one. */
interface Connection {
  readonly stream: Socket;
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(bound: {
    readonly statement: string;
    readonly values: readonly unknown[];
    readonly valueMapper: (value: unknown) => unknown;
  }): void;
  describe(portal: { readonly type: 'P'; readonly name: '' }): void;
  execute(portal: object): void;
  close(statement: { readonly type: 'S'; readonly name: string }): void;
  flush(): void;
  sync(): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

/** COPY … FROM STDIN, with its rows in COPY's text format. */
export interface Copy {
  readonly copy: string;
  readonly chunks: Iterable<string>;
}

/** Something to be sent. A function is called when all before it has been, and a COPY's rows have been computed. */
export type Step = Statement | Copy | (() => readonly Statement[]);

export interface PipelineOptions {
  readonly types: pg.CustomTypesConfig;
  /** Called whenever the server has done a part of it, or has taken what it was sent, so that more can go. */
  readonly onProgress: () => void;
  /** How many statements the server is to answer at once, not with the rest. @defaultValue none */
  readonly answerFirst?: number;
}

interface Field {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

/** Statements that a connection has parsed under their names. A connection that ends takes its set with it. */
const preparedOn = new WeakMap<object, Set<string>>();

/**
 * Several statements in one round trip, as a query of the `pg` client, which has one for each. They are sent one behind
 * the other with one Sync at the end (PostgreSQL, Frontend/Backend Protocol, "Pipelining"): the server skips what comes
 * after the first that fails.
 *
 * A COPY may be among them. It pulls a chunk only when the socket has room for it, and none any more once the server has
 * refused a row: the server may say so while megabytes are still to be sent.
 *
 * On the loopback of a machine with two cores a write to a socket took 0.2 ms of processor time, with all that it wakes,
 * and a third of the service's: a batch had 13 of them, and has four.
 */
export class Pipeline implements pg.Submittable {
  /** The rows of each statement, once the server is ready for the next query. */
  readonly done: Promise<Row[][]>;
  readonly #steps: readonly Step[];
  readonly #options: PipelineOptions;
  readonly #rows: Row[][] = [];
  /** Names that this pipeline makes the server parse. */
  readonly #parsed: string[] = [];
  #resolve!: (rows: Row[][]) => void;
  #reject!: (error: unknown) => void;
  #at = 0;
  #sent = 0;
  #copying: { readonly chunks: Iterator<string>; next?: IteratorResult<string> } | undefined;
  #fields: readonly Field[] = [];
  #result: Row[] = [];
  /** Why something could not be computed, or an answer not be read. */
  #failure: { readonly cause: unknown } | undefined;
  #synced = false;
  #settled = false;

  constructor(steps: readonly Step[], options: PipelineOptions) {
    this.#steps = steps;
    this.#options = options;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  // From here on, called by the client.

  submit(connection: unknown): void {
    this.#send(connection as Connection);
  }

  handleRowDescription({ fields }: { fields: { name: string; dataTypeID: number }[] }): void {
    this.#fields = fields.map(({ name, dataTypeID }) => ({
      name,
      parse: this.#options.types.getTypeParser(dataTypeID, 'text') as (text: string) => unknown,
    }));
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    try {
      const row: Record<string, unknown> = {};
      for (const [index, { name, parse }] of this.#fields.entries()) {
        const text = fields[index]!;
        row[name] = text === null ? null : parse(text);
      }
      this.#result.push(row);
    } catch (cause) {
      this.#failure ??= { cause };
    }
  }

  handleCommandComplete(): void {
    this.#rows.push(this.#result);
    this.#result = [];
    this.#options.onProgress();
  }

  /** The rows are on their way already. */
  handleCopyInResponse(): void {}

  handleReadyForQuery(connection: Connection): void {
    this.#settled = true;
    const prepared = preparedOn.get(connection) ?? new Set();
    preparedOn.set(connection, prepared);
    for (const name of this.#parsed) prepared.add(name);
    if (this.#failure === undefined) this.#resolve(this.#rows);
    else this.#reject(this.#failure.cause);
  }

  handleError(error: unknown, connection: Connection): void {
    this.#settled = true;
    // It may be a prepared statement that is to blame: of a table that has changed since, or dropped by somebody.
    preparedOn.delete(connection);
    // The rows that were to come don't; until then the server skips all that it is sent.
    this.#sync(connection);
    this.#reject(this.#failure === undefined ? error : this.#failure.cause);
  }

  /** Sends as much as the socket takes. */
  #send(connection: Connection): void {
    const { stream } = connection;
    stream.cork();
    try {
      for (; this.#at < this.#steps.length; this.#at++) {
        const step = this.#steps[this.#at]!;
        if (typeof step === 'function')
          for (const statement of step()) this.#sendStatement(connection, statement);
        else if ('text' in step) this.#sendStatement(connection, step);
        else if (!this.#sendCopy(connection, step)) return;
      }
    } catch (cause) {
      this.#failure = { cause };
      // The server forgets the rows that it was sent, and answers with an error.
      if (this.#copying !== undefined) connection.sendCopyFail('the client gave up');
    } finally {
      if (this.#copying === undefined || this.#failure !== undefined) this.#sync(connection);
      stream.uncork();
    }
  }

  #sync(connection: Connection): void {
    if (!this.#synced) connection.sync();
    this.#synced = true;
  }

  #sendStatement(connection: Connection, { name = '', text, values = [] }: Statement): void {
    if (name === '') {
      connection.parse({ name, text });
    } else if (preparedOn.get(connection)?.has(name) !== true) {
      // A pipeline that failed may have left it behind; to close what is not there is no error.
      connection.close({ type: 'S', name });
      connection.parse({ name, text });
      this.#parsed.push(name);
    }
    connection.bind({ statement: name, values, valueMapper: prepareValue });
    connection.describe({ type: 'P', name: '' });
    connection.execute({});
    this.#sent++;
    if (this.#sent === this.#options.answerFirst) connection.flush();
  }

  /** @returns whether all of its rows have been sent; if not, it goes on when the socket has room */
  #sendCopy(connection: Connection, { copy, chunks }: Copy): boolean {
    const { stream } = connection;
    if (this.#copying === undefined) {
      connection.parse({ name: '', text: copy });
      connection.bind({ statement: '', values: [], valueMapper: prepareValue });
      connection.execute({});
      this.#sent++;
      this.#copying = { chunks: chunks[Symbol.iterator]() };
    }
    const copying = this.#copying;
    for (let { next = copying.chunks.next() } = copying; next.done !== true; next = copying.next) {
      const hasRoom = stream.write(copyData(next.value));
      // Now, so that the server stores these rows while the next are computed.
      stream.uncork();
      stream.cork();
      copying.next = copying.chunks.next();
      if (hasRoom || copying.next.done === true) continue;
      stream.once('drain', () => {
        if (this.#settled) return;
        this.#options.onProgress();
        this.#send(connection);
      });
      return false;
    }
    this.#copying = undefined;
    connection.endCopyFrom();
    return true;
  }
}

/** A CopyData message of the protocol: type, length, text. */
function copyData(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const message = Buffer.allocUnsafe(5 + length);
  message[0] = 0x64;
  message.writeUInt32BE(4 + length, 1);
  message.write(text, 5);
  return message;
}
