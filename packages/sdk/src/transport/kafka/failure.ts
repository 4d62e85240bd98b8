import { TransportError } from '../transport.ts';

/** What stands in the way, where somebody can mend it. The broker's own names. */
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
/** The records themselves are refused, and will be each time: by a rule that somebody gave the topic. */
const refusedRecords = new Set(['INVALID_RECORD', 'POLICY_VIOLATION']);

/**
 * Reads what the client library threw. All but two kinds are worth repeating: events are not thrown away because a
 * topic is missing or a right is.
 */
export function readKafkaError(thrown: unknown, topic: string, timeoutMs: number): TransportError {
  const faults = [...unfold(thrown)];
  const refused = (codes: ReadonlySet<unknown>) => faults.find(({ apiId }) => codes.has(apiId))?.apiId;
  const fail = (message: string, failure: Partial<TransportError>) =>
    new TransportError(message, { retryable: true, ...failure }, { cause: thrown });

  if (faults.some(({ name }) => name === 'TimeoutError')) {
    return fail(`Kafka did not answer within ${timeoutMs} ms`, {});
  }
  const large = refused(tooLarge);
  if (large !== undefined)
    return fail(`${topic} takes no request of this size (${large})`, { tooLarge: true });
  const right = refused(forbidden);
  if (right !== undefined) {
    return fail(`Kafka does not let this client write to ${topic} (${right})`, { unauthorized: true });
  }
  if (
    refused(refusedCredentials) !== undefined ||
    faults.some(({ code }) => code === 'PLT_KFK_AUTHENTICATION')
  ) {
    return fail('Kafka refuses the credentials', { unauthorized: true });
  }
  const rule = refused(refusedRecords);
  if (rule !== undefined) return fail(`${topic} refuses the records (${rule})`, { retryable: false });
  if (faults.some(({ message }) => /^Unknown topic /.test(message))) {
    return fail(`Kafka has no topic ${topic}, or does not show it to this client`, {});
  }
  return fail(`Kafka can not be reached, or did not take the batch (${reasonOf(faults)})`, {});
}

interface Fault {
  readonly name: string;
  readonly message: string;
  readonly code: unknown;
  /** The broker's name of an error. */
  readonly apiId: unknown;
}

/** An error and all that it holds, outermost first. */
function* unfold(thrown: unknown, depth = 0): Generator<Fault> {
  if (!(thrown instanceof Error) || depth > 8) return;
  const { name, message, cause } = thrown;
  const { code, apiId } = thrown as { code?: unknown; apiId?: unknown };
  yield { name, message, code, apiId };
  yield* unfold(cause, depth + 1);
  if (thrown instanceof AggregateError) for (const error of thrown.errors) yield* unfold(error, depth + 1);
}

/** The most telling of its names: the broker's, the system's, the library's sentence. */
function reasonOf(faults: readonly Fault[]): string {
  const apiId = faults.find((fault) => typeof fault.apiId === 'string')?.apiId;
  const code = faults.find((fault) => typeof fault.code === 'string' && !fault.code.startsWith('PLT_'))?.code;
  return String(apiId ?? code ?? faults.at(-1)?.message ?? 'no reason given');
}
