import type { Socket } from 'node:net';
import pg from 'pg';
import type { Statement } from './database.ts';

/** Renders a parameter as the `pg` client does. The function is not part of the client's published types. */
const { prepareValue } = (pg as unknown as { readonly utils: { prepareValue(value: unknown): unknown } })
  .utils;

/** The messages of PostgreSQL's frontend/backend protocol that a query object may send while it is the active query. */
export interface Connection {
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

/** The socket of a `pg` client. The client's published types do not show it. */
export function socketOf(client: pg.ClientBase): Socket {
  return (client as pg.ClientBase & { readonly connection: Connection }).connection.stream;
}

/** Names of the statements that each connection has parsed. The set is dropped together with its connection. */
const parsedOn = new WeakMap<Connection, Set<string>>();

/**
 * Sends one statement. The server parses a named statement once per connection.
 *
 * @returns the name that the server has to parse now; report it with {@link rememberParsed} when the server succeeded
 */
export function sendStatement(
  connection: Connection,
  { name = '', text, values = [] }: Statement,
): string | undefined {
  const isKnown = name !== '' && parsedOn.get(connection)?.has(name) === true;
  if (!isKnown) {
    // A failed pipeline may have left the name behind on the server. Closing an unknown name is not an error.
    if (name !== '') connection.close({ type: 'S', name });
    connection.parse({ name, text });
  }
  connection.bind({ statement: name, values, valueMapper: prepareValue });
  connection.describe({ type: 'P', name: '' });
  connection.execute({});
  return isKnown || name === '' ? undefined : name;
}

export function rememberParsed(connection: Connection, names: readonly string[]): void {
  const known = parsedOn.get(connection) ?? new Set();
  parsedOn.set(connection, known);
  for (const name of names) known.add(name);
}

/** After an error: its cause may be a prepared statement whose table was changed or dropped since it was parsed. */
export function forgetParsed(connection: Connection): void {
  parsedOn.delete(connection);
}

/** Starts `copy … from stdin`. */
export function sendCopyStart(connection: Connection, copy: string): void {
  connection.parse({ name: '', text: copy });
  connection.bind({ statement: '', values: [], valueMapper: prepareValue });
  connection.execute({});
}

/**
 * Sends rows of a COPY as one CopyData message: type, length, text.
 *
 * @returns false when the socket's buffer is full and the caller should wait for its `drain` event
 */
export function sendCopyData({ stream }: Connection, rows: string): boolean {
  const length = Buffer.byteLength(rows);
  const message = Buffer.allocUnsafe(5 + length);
  message[0] = 0x64;
  message.writeUInt32BE(4 + length, 1);
  message.write(rows, 5);
  return stream.write(message);
}
