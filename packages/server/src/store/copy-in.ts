import type { Socket } from 'node:net';
import type pg from 'pg';

/** What a query of the `pg` client may do with its connection while it is the active one. */
interface Connection {
  readonly stream: Socket;
  query(text: string): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

/**
 * COPY … FROM STDIN as a query of the `pg` client. It pulls a chunk only when the socket has room for it, and none any
 * more once the server has refused a row: the server may say so while megabytes are still to be sent.
 */
export class CopyIn implements pg.Submittable {
  /** Settles once the server is ready for the next query, or has refused a row. */
  readonly done: Promise<void>;
  readonly #statement: string;
  readonly #chunks: Iterator<string>;
  #resolve!: () => void;
  #reject!: (error: unknown) => void;
  /** Computed while the server works on the one before; undefined once that failed. Owned by this object. */
  #next: IteratorResult<string> | undefined;
  /** Why the chunks could not be computed. */
  #failure: { readonly cause: unknown } | undefined;
  #settled = false;

  constructor(statement: string, chunks: Iterable<string>) {
    this.#statement = statement;
    this.#chunks = chunks[Symbol.iterator]();
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  // From here on, called by the client.

  submit(connection: unknown): void {
    (connection as Connection).query(this.#statement);
    this.#next = this.#pull();
  }

  handleCopyInResponse(connection: Connection): void {
    this.#send(connection);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#settled = true;
    this.#resolve();
  }

  handleError(error: unknown): void {
    this.#settled = true;
    this.#reject(this.#failure === undefined ? error : this.#failure.cause);
  }

  #send(connection: Connection): void {
    while (!this.#settled) {
      const next = this.#next;
      // The server forgets what it was sent, and answers with an error.
      if (next === undefined) return connection.sendCopyFail('the client gave up');
      if (next.done === true) return connection.endCopyFrom();
      const hasRoom = connection.stream.write(copyData(next.value));
      this.#next = this.#pull();
      if (!hasRoom) {
        connection.stream.once('drain', () => this.#send(connection));
        return;
      }
    }
  }

  #pull(): IteratorResult<string> | undefined {
    try {
      return this.#chunks.next();
    } catch (error) {
      this.#failure = { cause: error };
      return undefined;
    }
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
