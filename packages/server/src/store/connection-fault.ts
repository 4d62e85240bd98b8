import { ServerError } from '../errors.ts';
import { sqlState } from './database.ts';

/** What is wrong with the address of a PostgreSQL database, or with the server behind it. */
export type ConnectionFaultKind =
  | 'password'
  | 'login'
  | 'database'
  | 'host'
  | 'port'
  | 'certificate'
  | 'no-answer'
  | 'busy';

/** Why there is no connection. The texts are for operators: they name login, host and database, and never a password. */
export interface ConnectionFault {
  readonly kind: ConnectionFaultKind;
  readonly message: string;
  /** What the operator can do. */
  readonly hint: string;
}

/**
 * Names the fault of a connection that failed.
 *
 * @param url the address that was tried
 * @returns `undefined` for an error that says nothing about the address or the server
 */
export function connectionFault(error: unknown, url: string): ConnectionFault | undefined {
  const parsed = new URL(url);
  const place = {
    login: decodeURIComponent(parsed.username) || 'of this user',
    database: decodeURIComponent(parsed.pathname.slice(1)),
    host: parsed.hostname === '' ? 'the socket file' : parsed.hostname,
    server: parsed.hostname === '' ? 'the socket file' : `${parsed.hostname}:${parsed.port || '5432'}`,
  };
  // An address may have several IP addresses, and each has its own error then.
  const cause = error instanceof AggregateError ? error.errors[0] : error;
  const message = cause instanceof Error ? cause.message : '';
  const state = sqlState(cause);
  if (state !== undefined) return ofServer(state, message, place);
  return ofNetwork((cause as { code?: string } | undefined)?.code ?? '', message, place);
}

/** The error of a connection that failed. Its details are for the operator: clients must not learn of hosts and logins. */
export function unreachable(cause: unknown, url: string): ServerError {
  const fault = connectionFault(cause, url);
  const details = fault === undefined ? {} : { connectionFault: fault };
  return new ServerError('STORE_UNAVAILABLE', 'no connection to PostgreSQL', { cause, details });
}

interface Place {
  readonly login: string;
  readonly database: string;
  readonly host: string;
  readonly server: string;
}

/** Faults that the server reports. Its own message names login, database or rule, and no secret. */
function ofServer(
  state: string,
  message: string,
  { login, database, server }: Place,
): ConnectionFault | undefined {
  switch (state) {
    case '28P01':
      return {
        kind: 'password',
        message: `the server ${server} refuses the password of the login ${login}`,
        hint: 'correct the password in the address; letters such as @ / : # must be percent-encoded there',
      };
    case '28000':
      return {
        kind: 'login',
        message: `the server ${server} refuses the login ${login}: ${message}`,
        hint: 'create the login, or allow it in pg_hba.conf',
      };
    case '3D000':
      return {
        kind: 'database',
        message: `the server ${server} has no database ${database}`,
        hint: 'correct the name after the last slash of the address, or create the database',
      };
    case '42501':
      return {
        kind: 'database',
        message: `the login ${login} may not connect to the database ${database}`,
        hint: `run as the owner of the database: grant connect on database ${database} to ${login}`,
      };
    case '53300':
      return {
        kind: 'busy',
        message: `the server ${server} has no free connection: ${message}`,
        hint: 'raise max_connections, or end other clients',
      };
    case '57P03':
      return {
        kind: 'busy',
        message: `the server ${server} is not ready: ${message}`,
        hint: 'wait until it accepts connections',
      };
    default:
      return undefined;
  }
}

const untrusted =
  /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|ERR_TLS_CERT_ALTNAME_INVALID)/;

/** Faults on the way to the server. */
function ofNetwork(
  code: string,
  message: string,
  { login, host, server }: Place,
): ConnectionFault | undefined {
  if (untrusted.test(code)) {
    return {
      kind: 'certificate',
      message: `the certificate of ${server} is not trusted (${code})`,
      hint: 'add sslmode=verify-full&sslrootcert=FILE to the address, with the certificate of the authority that signed it',
    };
  }
  if (message.includes('does not support SSL')) {
    return {
      kind: 'certificate',
      message: `the server ${server} does not accept TLS`,
      hint: 'switch TLS on in the server, or remove sslmode from the address',
    };
  }
  if (message.includes('password must be')) {
    return {
      kind: 'password',
      message: `the address has no password, and ${server} asks the login ${login} for one`,
      hint: 'add it to the address: postgres://LOGIN:PASSWORD@HOST/DATABASE',
    };
  }
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        kind: 'host',
        message: `the host ${host} is not known (${code})`,
        hint: 'correct the host in the address, or the DNS of this machine',
      };
    case 'ECONNREFUSED':
    case 'ENOENT':
      return {
        kind: 'port',
        message: `no server listens on ${server} (${code})`,
        hint: 'start PostgreSQL, or correct host and port in the address',
      };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return noAnswer(server, code);
    default:
      return /timeout|Connection terminated/.test(message) ? noAnswer(server, 'no answer') : undefined;
  }
}

function noAnswer(server: string, what: string): ConnectionFault {
  return {
    kind: 'no-answer',
    message: `the server ${server} does not answer (${what})`,
    hint: 'check firewalls and the route to the server, and that the server is PostgreSQL',
  };
}
