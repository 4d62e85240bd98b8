import {
  AuthenticationError,
  type SASLOptions,
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
} from '@platformatic/kafka';
import type { Credential } from '../credential.ts';
import type { KafkaSasl } from './options.ts';

type Authenticate = NonNullable<SASLOptions['authenticate']>;
type AuthenticationCallback = Parameters<Authenticate>[6];

/** The part of a session's lifetime during which its connection is used, so that no request is under way when it ends. */
const usableLifetime = 0.8;

/**
 * The options of the client library (2.12.1), with an authentication hook that changes two things:
 * - The library authenticates again after a timer that keeps an idle process alive and outlives its connection. The hook hides
 *   the session's lifetime from the library, and the transport compares the time before each request.
 * - The library takes the broker's "invalid_token" as success, because Kafka sends it in a response without an error code.
 *
 * @param refresh whether the broker refused the last secret
 * @param onSession called with the time at which a session must be replaced, in milliseconds since the epoch
 */
export function saslOptions(
  sasl: KafkaSasl,
  refresh: boolean,
  onSession: (endsAt: number) => void,
): SASLOptions {
  const authenticate: Authenticate = (
    _mechanism,
    connection,
    api,
    _username,
    _password,
    _token,
    callback,
  ) => {
    const onResponse: AuthenticationCallback = (error, response) => {
      if (error || response === undefined) callback(error, response);
      else if (sasl.mechanism === 'OAUTHBEARER' && response.authBytes.length > 0) {
        callback(new AuthenticationError('the broker refuses the token'), response);
      } else {
        const lifetimeMs = Number(response.sessionLifetimeMs);
        if (lifetimeMs > 0) onSession(Date.now() + lifetimeMs * usableLifetime);
        callback(null, { ...response, sessionLifetimeMs: 0n });
      }
    };
    const secret = (credential: Credential) =>
      typeof credential === 'string' ? credential : async () => credential({ refresh });
    switch (sasl.mechanism) {
      case 'PLAIN':
        return saslPlain.authenticate(api, connection, sasl.username, secret(sasl.password), onResponse);
      case 'OAUTHBEARER':
        return saslOAuthBearer.authenticate(
          api,
          connection,
          secret(sasl.token),
          { ...sasl.extensions },
          onResponse,
        );
      default:
        return saslScramSha.authenticate(
          api,
          connection,
          sasl.mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512',
          sasl.username,
          secret(sasl.password),
          saslScramSha.defaultCrypto,
          onResponse,
        );
    }
  };
  return { mechanism: sasl.mechanism, authenticate };
}
