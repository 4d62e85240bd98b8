import { findErrorBy, GenericError } from '@platformatic/kafka';
import { ServerError } from '../errors.ts';

/** Errors that remain until an operator changes rights, settings or credentials. */
const permanentErrors = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_PARTITIONS',
  'INVALID_CONFIG',
  'INVALID_TOPIC_EXCEPTION',
  'POLICY_VIOLATION',
  'TOPIC_ALREADY_EXISTS',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'UNSUPPORTED_VERSION',
]);

/**
 * Turns an error of the library's `Producer` or `Admin` into a {@link ServerError}: `BROKER_REFUSED` if a retry can't
 * help, `BROKER_UNAVAILABLE` otherwise. `details.reason` is Kafka's name of the error, if the broker gave one. The library
 * nests errors by attempt and by broker, and the innermost ones have the useful messages.
 *
 * @param what begins the error's message: who failed to do what
 */
export function toBrokerError(error: unknown, what = 'Kafka'): ServerError {
  if (error instanceof ServerError) return error;
  const all = [...innermostErrors(error)];
  const known = all.find(({ apiId }) => apiId !== undefined);
  // A client without rights for a topic gets this message, and no error code.
  const isUnknown = all.some(({ message }) => message.startsWith('Unknown topic '));
  const reason = known?.apiId ?? (isUnknown ? 'UNKNOWN_TOPIC_OR_PARTITION' : undefined);
  if (reason !== undefined) {
    const message = known?.serverErrorMessage ?? (known ?? all.at(-1)!).message;
    const code = permanentErrors.has(reason) ? 'BROKER_REFUSED' : 'BROKER_UNAVAILABLE';
    return new ServerError(code, `${what}: ${reason}: ${message}`, {
      cause: error,
      details: { reason },
    });
  }
  if (findErrorBy(error as Error, 'code', 'PLT_KFK_AUTHENTICATION') !== null) {
    const { message } = all.find(({ code }) => code === 'PLT_KFK_AUTHENTICATION') ?? (error as Error);
    return new ServerError('BROKER_REFUSED', `${what}: the log-in failed: ${message}`, {
      cause: error,
      details: { reason: 'SASL_AUTHENTICATION_FAILED' },
    });
  }
  const last = all.at(-1);
  return new ServerError('BROKER_UNAVAILABLE', `${what}: ${last?.message ?? String(error)}`, {
    cause: error,
  });
}

/** What this module reads of the library's errors. */
interface LibraryError {
  readonly message: string;
  readonly code?: string;
  readonly apiId?: string;
  readonly serverErrorMessage?: string | null;
}

function* innermostErrors(error: unknown): Generator<LibraryError> {
  if (!(error instanceof Error)) return;
  const inner = [...(error instanceof AggregateError ? error.errors : []), error.cause].filter(
    (each) => each instanceof Error,
  );
  const isNamed = GenericError.isGenericError(error) && 'apiId' in error;
  if (inner.length === 0 || isNamed) yield error as LibraryError;
  for (const each of inner) yield* innermostErrors(each);
}
