import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClientMetadata, Configuration, JWK, Provider } from 'oidc-provider';

const audience = 'urn:tallystick:test';
const secret = 'a-secret-of-all-clients-of-the-test';

interface People {
  readonly [person: string]: { readonly [claim: string]: unknown };
}

/** A service at which people sign in, as it is registered at the provider, with PKCE. */
interface TestOpenIdClient {
  readonly id: string;
  readonly redirectUri: string;
  /** The client is confidential: the provider wants this in the body of its requests for tokens. @defaultValue none: a public client */
  readonly secret?: string;
}

/** A real OpenID provider (`oidc-provider`) on a free port of this machine. Each of its clients is a person. */
export interface TestOpenIdProvider extends AsyncDisposable {
  readonly issuer: string;
  readonly audience: string;
  /** While true, the provider answers every request with 503. */
  isDown: boolean;
  /** How long its next tokens are valid. @defaultValue 3600 */
  lifetimeSeconds: number;
  /** The person who logs in at the next browser; `nobody`: the person there refuses. @defaultValue 'nobody' */
  visitor: string;
  /** How often its keys and its discovery document were read. */
  reads(): number;
  /** Logs a person in, and returns the access token. */
  token(person: string): Promise<string>;
  /** Replaces the signing key. Tokens from before lose their key. */
  rotate(): Promise<void>;
  /** Registers a client for authorisation codes. It replaces the one from before. */
  register(client: TestOpenIdClient): Promise<void>;
}

/**
 * Starts a provider.
 *
 * @param people the claims of each person beside `sub`, which is the name
 */
export async function openTestOpenIdProvider(people: People): Promise<TestOpenIdProvider> {
  let listener: RequestListener | undefined;
  let client: TestOpenIdClient | undefined;
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
    visitor: 'nobody',
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
      const opened = await quietly(
        async () =>
          new Provider(
            issuer,
            configuration(people, () => provider.lifetimeSeconds, client),
          ),
      );
      const answer = opened.callback();
      listener = (request, response) => {
        if (!request.url!.startsWith('/interaction/')) void answer(request, response);
        else void interact(opened, request, response, provider.visitor);
      };
    },
    async register(registered) {
      client = registered;
      await provider.rotate();
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

/** What the page would do on which a person logs in and consents. */
async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  visitor: string,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (visitor === 'nobody')
    return await provider.interactionFinished(request, response, { error: 'access_denied' });
  if (prompt.name === 'login')
    return await provider.interactionFinished(request, response, { login: { accountId: visitor } });
  const grant = new provider.Grant({
    accountId: session!.accountId,
    clientId: String(params.client_id),
  });
  grant.addOIDCScope(String(params.scope));
  const grantId = await grant.save();
  await provider.interactionFinished(request, response, { consent: { grantId } });
}

function configuration(
  people: People,
  lifetimeSeconds: () => number,
  client: TestOpenIdClient | undefined,
): Configuration {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'ES256' };
  return {
    jwks: { keys: [key as JWK] },
    // The other kinds have a fixed life: without one the provider writes a warning.
    ttl: {
      ClientCredentials: () => lifetimeSeconds(),
      AccessToken: 3_600,
      AuthorizationCode: 60,
      Grant: 3_600,
      IdToken: 3_600,
      Interaction: 600,
      Session: 3_600,
    },
    cookies: { keys: [randomUUID()] },
    clientAuthMethods: ['client_secret_post', 'none'],
    pkce: { required: () => true },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
    claims: { openid: ['sub', ...new Set(Object.values(people).flatMap((claims) => Object.keys(claims)))] },
    conformIdTokenClaims: false,
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    clients: [
      ...clientsOf(client),
      ...Object.keys(people).map((client_id) => ({
        client_id,
        client_secret: secret,
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post' as const,
        id_token_signed_response_alg: 'ES256' as const,
      })),
    ],
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

function clientsOf(client: TestOpenIdClient | undefined): ClientMetadata[] {
  if (client === undefined) return [];
  return [
    {
      client_id: client.id,
      redirect_uris: [client.redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      ...(client.secret === undefined
        ? { token_endpoint_auth_method: 'none' }
        : { token_endpoint_auth_method: 'client_secret_post', client_secret: client.secret }),
      id_token_signed_response_alg: 'ES256',
    },
  ];
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
