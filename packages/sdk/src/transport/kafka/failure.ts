import { TransportError } from '../transport.ts';

// Names of errors in Kafka's protocol.
const tooLarge = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const refusedCredentials = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
]);
const forbidden = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
]);
/** A rule of the topic refuses the records, and will refuse them again. */
const refusedRecords = new Set(['INVALID_RECORD', 'POLICY_VIOLATION']);

/**
 * Interprets an error of the client library. All but two kinds are retryable, so that no event is discarded because a topic or
 * a permission is missing.
 */
export function readKafkaError(thrown: unknown, topic: string, timeoutMs: number): TransportError {
  const faults = [...causesOf(thrown)];
  const find = (names: ReadonlySet<unknown>) => faults.find(({ apiId }) => names.has(apiId))?.apiId;
  const fail = (message: string, failure: Partial<TransportError>) =>
    new TransportError(message, { retryable: true, ...failure }, { cause: thrown });

  if (faults.some(({ name }) => name === 'TimeoutError')) {
    return fail(`Kafka did not respond within ${timeoutMs} ms`, {});
  }
  const size = find(tooLarge);
  if (size !== undefined)
    return fail(`the topic ${topic} does not accept a request of this size (${size})`, {
      retryable: false,
      tooLarge: true,
    });
  const permission = find(forbidden);
  if (permission !== undefined) {
    return fail(`Kafka does not let this client write to ${topic} (${permission})`, { unauthorized: true });
  }
  if (
    find(refusedCredentials) !== undefined ||
    faults.some(({ code }) => code === 'PLT_KFK_AUTHENTICATION')
  ) {
    return fail('Kafka refuses the credentials', { unauthorized: true });
  }
  const rule = find(refusedRecords);
  if (rule !== undefined)
    return fail(`the topic ${topic} refuses the records (${rule})`, { retryable: false });
  if (faults.some(({ message }) => /^Unknown topic /.test(message))) {
    return fail(`Kafka has no topic ${topic}, or this client may not see it`, {});
  }
  return fail(`Kafka can't be reached, or did not accept the batch (${reasonOf(faults)})`, {});
}

interface Fault {
  readonly name: string;
  readonly message: string;
  readonly code: unknown;
  /** Name of the error in Kafka's protocol. */
  readonly apiId: unknown;
}

/** An error and all its causes, outermost first. */
function* causesOf(thrown: unknown, depth = 0): Generator<Fault> {
  if (!(thrown instanceof Error) || depth > 8) return;
  const { name, message, cause } = thrown;
  const { code, apiId } = thrown as { code?: unknown; apiId?: unknown };
  yield { name, message, code, apiId };
  yield* causesOf(cause, depth + 1);
  if (thrown instanceof AggregateError) for (const error of thrown.errors) yield* causesOf(error, depth + 1);
}

/** The most specific description: the broker's name of the error, else the system's, else the library's message. */
function reasonOf(faults: readonly Fault[]): string {
  const apiId = faults.find((fault) => typeof fault.apiId === 'string')?.apiId;
  const code = faults.find((fault) => typeof fault.code === 'string' && !fault.code.startsWith('PLT_'))?.code;
  return String(apiId ?? code ?? faults.at(-1)?.message ?? 'no reason given');
}
