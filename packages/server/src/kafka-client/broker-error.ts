import { findErrorBy, GenericError } from '@platformatic/kafka';
import { ServerError } from '../errors.ts';

/** What is wrong for a reason that stays until somebody changes rights, settings or credentials. */
const refusals = new Set([
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
 * A failure of the Kafka client in the service's own terms: `BROKER_REFUSED` where trying again is of no use,
 * `BROKER_UNAVAILABLE` otherwise. `details.reason` is the protocol's name of the error, where the broker gave one. The
 * client nests errors by attempt and by broker; the words that help stand innermost.
 */
export function toBrokerError(error: unknown, what = 'Kafka'): ServerError {
  if (error instanceof ServerError) return error;
  const all = [...innermost(error)];
  const known = all.find(({ apiId }) => apiId !== undefined);
  // What a client may not see is not there for it, and the library says so in words only.
  const isUnknown = all.some(({ message }) => message.startsWith('Unknown topic '));
  const reason = known?.apiId ?? (isUnknown ? 'UNKNOWN_TOPIC_OR_PARTITION' : undefined);
  if (reason !== undefined) {
    const said = known?.serverErrorMessage ?? (known ?? all.at(-1)!).message;
    const isFinal = refusals.has(reason);
    return new ServerError(isFinal ? 'BROKER_REFUSED' : 'BROKER_UNAVAILABLE', `${what}: ${reason}: ${said}`, {
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

interface Leaf {
  readonly message: string;
  readonly code?: string;
  readonly apiId?: string;
  readonly serverErrorMessage?: string | null;
}

function* innermost(error: unknown): Generator<Leaf> {
  if (!(error instanceof Error)) return;
  const inner = [...(error instanceof AggregateError ? error.errors : []), error.cause].filter(
    (each) => each instanceof Error,
  );
  const isNamed = GenericError.isGenericError(error) && 'apiId' in error;
  if (inner.length === 0 || isNamed) yield error as Leaf;
  for (const each of inner) yield* innermost(each);
}
