import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Certificate, makeCertificates } from './certificates.ts';

export interface KafkaSecurity {
  /** Passwords by name, for PLAIN and both kinds of SCRAM. */
  readonly users: Record<string, string>;
  /** The longest session with OAUTHBEARER, in ms. @defaultValue the lifetime of its token */
  readonly sessionMs?: number;
}

/** The addresses (`host:port` of every broker) of the listeners that need TLS, and what a client needs to connect to them. */
export interface SecuredListeners {
  /** TLS. Only the broker has a certificate. */
  readonly tls: string[];
  /** TLS. The client needs a certificate too. */
  readonly mutualTls: string[];
  /** TLS and one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER. The broker accepts unsigned tokens. */
  readonly sasl: string[];
  readonly ca: string;
  readonly client: Certificate;
}

export const securedNames = ['TLS', 'MUTUAL', 'SASL'] as const;

const JAAS = 'org.apache.kafka.common.security';
const VALIDATOR = `${JAAS}.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler`;

/** The secured listeners. Their clients may do only what an ACL allows. Clients of the plain listener are administrators. */
export function secure(
  { users, sessionMs }: KafkaSecurity,
  root: string,
): {
  ca: string;
  client: Certificate;
  settings: Record<string, string>;
  formatOptions: string[];
  protocols: string;
} {
  const dir = join(root, 'certificates');
  mkdirSync(dir);
  const { ca, client } = makeCertificates(dir);
  const plainUsers = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`);
  const sasl = (mechanism: string, name: string) => `listener.name.sasl.${mechanism}.${name}`;
  return {
    ca,
    client,
    protocols: 'TLS:SSL,MUTUAL:SSL,SASL:SASL_SSL',
    settings: {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': join(dir, 'server.both.pem'),
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': join(dir, 'ca.pem'),
      'listener.name.mutual.ssl.client.auth': 'required',
      'listener.name.sasl.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
      [sasl('plain', 'sasl.jaas.config')]: `${JAAS}.plain.PlainLoginModule required ${plainUsers.join(' ')};`,
      [sasl('scram-sha-256', 'sasl.jaas.config')]: `${JAAS}.scram.ScramLoginModule required;`,
      [sasl('scram-sha-512', 'sasl.jaas.config')]: `${JAAS}.scram.ScramLoginModule required;`,
      [sasl('oauthbearer', 'sasl.jaas.config')]:
        `${JAAS}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
      [sasl('oauthbearer', 'sasl.server.callback.handler.class')]: VALIDATOR,
      ...(sessionMs !== undefined && {
        [sasl('oauthbearer', 'connections.max.reauth.ms')]: String(sessionMs),
      }),
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
    formatOptions: Object.entries(users).flatMap(([name, password]) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${name},password=${password}]`,
      ]),
    ),
  };
}
