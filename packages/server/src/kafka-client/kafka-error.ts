import { protocolErrorsCodesById, ResponseError } from '@platformatic/kafka';

/** A request to Kafka failed: a broker refused it, its response can't be used, or no broker answered. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  /** Kafka's name of the error, such as `NOT_LEADER_OR_FOLLOWER`, or a code of this folder, such as `SOURCE_CORRUPT`. */
  readonly code: string;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/** Kafka's name of the error code in a response. */
export function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `ERROR_${code}`;
}

/** The code of a {@link KafkaError}, or Kafka's name of an error of the client library; undefined for any other error. */
export function kafkaErrorCode(error: unknown): string | undefined {
  if (error instanceof KafkaError) return error.code;
  if (!(error instanceof ResponseError)) return undefined;
  for (const each of error.errors) {
    const id: unknown = each.apiId;
    if (typeof id === 'string') return id;
  }
  return undefined;
}

/** Code, message and cause of an error in one line. */
export function describeError(error: unknown): string {
  const code = kafkaErrorCode(error) ?? (error as { code?: string } | null)?.code;
  const { message = String(error), cause } = (error ?? {}) as Error;
  const reason = cause instanceof Error ? ` (${cause.message})` : '';
  return code === undefined ? `${message}${reason}` : `${code}: ${message}${reason}`;
}

/**
 * Adds Kafka's name of the reason to an error of the client library, whose message names only the request that the broker
 * refused. Other errors are returned unchanged.
 */
export function withKafkaReason(error: Error): Error {
  const code = error instanceof ResponseError ? kafkaErrorCode(error) : undefined;
  return code === undefined ? error : new KafkaError(code, describeError(error), { cause: error });
}
