import {
  AuthenticationError,
  type SASLOptions,
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
} from '@platformatic/kafka';
import type { Credential } from '../http.ts';
import type { KafkaSasl } from './options.ts';

type Authenticate = NonNullable<SASLOptions['authenticate']>;
type Answered = Parameters<Authenticate>[6];

/** Part of a session's life after which its connection is given up, so that no request meets its end. */
const usableShare = 0.8;

/**
 * Our options as the client library's, with a hook of our own for two of its ways (2.12.1):
 * - it re-authenticates by a timer that keeps an idle process alive, and that outlives its connection; so it is not
 *   told how long the session lasts, and whoever sends looks at the clock instead;
 * - it takes the broker's "invalid_token" for success, since Kafka says it in an answer without an error code.
 *
 * @param onSession told when a session should be replaced, in ms since the epoch
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
    const answered: Answered = (error, response) => {
      if (error || response === undefined) callback(error, response);
      else if (sasl.mechanism === 'OAUTHBEARER' && response.authBytes.length > 0) {
        callback(new AuthenticationError('the broker refuses the token'), response);
      } else {
        const lifetimeMs = Number(response.sessionLifetimeMs);
        if (lifetimeMs > 0) onSession(Date.now() + lifetimeMs * usableShare);
        callback(null, { ...response, sessionLifetimeMs: 0n });
      }
    };
    const secret = (credential: Credential) =>
      typeof credential === 'string' ? credential : async () => credential({ refresh });
    switch (sasl.mechanism) {
      case 'PLAIN':
        return saslPlain.authenticate(api, connection, sasl.username, secret(sasl.password), answered);
      case 'OAUTHBEARER':
        return saslOAuthBearer.authenticate(
          api,
          connection,
          secret(sasl.token),
          { ...sasl.extensions },
          answered,
        );
      default:
        return saslScramSha.authenticate(
          api,
          connection,
          sasl.mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512',
          sasl.username,
          secret(sasl.password),
          saslScramSha.defaultCrypto,
          answered,
        );
    }
  };
  return { mechanism: sasl.mechanism, authenticate };
}
