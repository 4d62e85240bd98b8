import { type BaseOptions, Connection } from '@platformatic/kafka';

/** How to reach the brokers, with the option names of `@platformatic/kafka`. */
export interface KafkaConnection extends Pick<BaseOptions, 'tls' | 'tlsServerName' | 'sasl'> {
  /** `host:port` of the brokers to contact first. */
  readonly bootstrapBrokers: string[];
  /** Appears in the brokers' logs and quotas. @defaultValue 'tallystick' */
  readonly clientId?: string;
}

/** Address of a broker. */
export interface Broker {
  readonly host: string;
  readonly port: number;
}

const connectTimeoutMs = 5_000;

/** @param requestTimeoutMs how long the broker may take to answer a request */
export async function connect(
  { tls, tlsServerName, sasl, clientId = 'tallystick' }: KafkaConnection,
  { host, port }: Broker,
  requestTimeoutMs: number,
): Promise<Connection> {
  const connection = new Connection(clientId, {
    connectTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    ...(tls !== undefined && { tls }),
    ...(tlsServerName !== undefined && { tlsServerName }),
    ...(sasl !== undefined && { sasl }),
  });
  // The requests in flight get the same error. Without a listener, Node would end the process.
  connection.on('error', () => undefined);
  try {
    await connection.connect(host, port);
    return connection;
  } catch (error) {
    disconnect(connection);
    throw error;
  }
}

/** Ends a connection without waiting for responses: its requests in flight fail. */
export function disconnect(connection: Connection): void {
  Promise.resolve(connection.close()).catch(() => undefined);
  (connection.socket as Connection['socket'] | undefined)?.destroy();
}

/** Reads `host:port`; the port defaults to 9092. */
export function parseBroker(text: string): Broker {
  const match = /^\[?(.*?)\]?(?::(\d+))?$/.exec(text)!;
  return { host: match[1]!, port: Number(match[2] ?? 9092) };
}
