import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Configuration, JWK } from 'oidc-provider';

const audience = 'urn:tallystick:test';
const secret = 'a-secret-of-all-clients-of-the-test';

interface People {
  readonly [person: string]: { readonly [claim: string]: unknown };
}

/** A real OpenID provider (`oidc-provider`) on a free port of this machine. Each of its clients is a person. */
export interface TestOpenIdProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly audience: string;
  /** While true, the provider answers every request with 503. */
  isDown: boolean;
  /** How long its next tokens are valid. @defaultValue 3600 */
  lifetimeSeconds: number;
  /** How often its keys and its discovery document were read. */
  reads(): number;
  /** Logs a person in, and returns the access token. */
  token(person: string): Promise<string>;
  /** Replaces the signing key. Tokens from before lose their key. */
  rotate(): Promise<void>;
}

/**
 * Starts a provider.
 *
 * @param people the claims of each person beside `sub`, which is the name
 */
export async function openTestOpenIdProvider(people: People): Promise<TestOpenIdProvider> {
  let listener: RequestListener | undefined;
  let reads = 0;
  const server = createServer((request, response) => {
    if (/^\/(?:jwks|\.well-known\/)/.test(request.url ?? '')) reads++;
    if (provider.isDown || listener === undefined) response.writeHead(503).end();
    else listener(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: TestOpenIdProvider = {
    issuer,
    audience,
    isDown: false,
    lifetimeSeconds: 3_600,
    reads: () => reads,
    async token(person) {
      const response = await fetch(`${issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: person,
          client_secret: secret,
        }),
      });
      const answer = (await response.json()) as { readonly access_token?: string };
      if (answer.access_token === undefined)
        throw new Error(`the provider refused ${person}: ${JSON.stringify(answer)}`);
      return answer.access_token;
    },
    async rotate() {
      const { default: Provider } = await quietly(() => import('oidc-provider'));
      listener = await quietly(async () =>
        new Provider(
          issuer,
          configuration(people, () => provider.lifetimeSeconds),
        ).callback(),
      );
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  await provider.rotate();
  return provider;
}

function configuration(people: People, lifetimeSeconds: () => number): Configuration {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'ES256' };
  return {
    jwks: { keys: [key as JWK] },
    ttl: { ClientCredentials: () => lifetimeSeconds() },
    cookies: { keys: [randomUUID()] },
    clientAuthMethods: ['client_secret_post'],
    clients: Object.keys(people).map((client_id) => ({
      client_id,
      client_secret: secret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: 'ES256',
    })),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    extraTokenClaims: (_context, token) => ({ ...people[token.clientId ?? ''] }),
  };
}

/** The provider writes warnings about a set-up for development to the console. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { info, warn } = console;
  console.info = console.warn = () => undefined;
  try {
    return await work();
  } finally {
    Object.assign(console, { info, warn });
  }
}
