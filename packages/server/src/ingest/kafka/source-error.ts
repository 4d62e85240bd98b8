import { protocolErrorsCodesById, ResponseError } from '@platformatic/kafka';

/** What a broker answered instead of what was asked for; or why none answered. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  /** A name of Kafka's own (`NOT_LEADER_OR_FOLLOWER`), or one of those that only the ingest has. */
  readonly code: string;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

export function nameOfError(code: number): string {
  return protocolErrorsCodesById[code] ?? `ERROR_${code}`;
}

/** Kafka's name for an error, where it has one. */
export function kafkaCode(error: unknown): string | undefined {
  if (error instanceof SourceError) return error.code;
  if (!(error instanceof ResponseError)) return undefined;
  for (const each of error.errors) {
    const id: unknown = each.apiId;
    if (typeof id === 'string') return id;
  }
  return undefined;
}

/** An error in one line, with what is behind it. */
export function describe(error: unknown): string {
  const code = kafkaCode(error) ?? (error as { code?: string } | null)?.code;
  const { message = String(error), cause } = (error ?? {}) as Error;
  const behind = cause instanceof Error ? ` (${cause.message})` : '';
  return code === undefined ? `${message}${behind}` : `${code}: ${message}${behind}`;
}

/** As it is told: what the client says of a broker's refusal is which request was refused, and not why. */
export function named(error: Error): Error {
  const code = error instanceof ResponseError ? kafkaCode(error) : undefined;
  return code === undefined ? error : new SourceError(code, describe(error), { cause: error });
}
