import type { VerifyReport } from '@tallystick/protocol';
import { type Credential, CredentialSource } from './credential.ts';
import { ClientError } from './errors.ts';
import { type ApiKeysResource, apiKeysResource } from './resources/api-keys.ts';
import { type ApprovalsResource, approvalsResource } from './resources/approvals.ts';
import { type DeadLettersResource, deadLettersResource } from './resources/dead-letters.ts';
import { type EventsResource, eventsResource } from './resources/events.ts';
import { type FollowersResource, followersResource } from './resources/followers.ts';
import { type HealthResource, healthResource } from './resources/health.ts';
import { type LogsResource, logsResource } from './resources/logs.ts';
import { type OpenIntentsResource, openIntentsResource } from './resources/open-intents.ts';
import { type ProducersResource, producersResource } from './resources/producers.ts';
import { type StatsResource, statsResource } from './resources/stats.ts';
import { type SubjectsResource, subjectsResource } from './resources/subjects.ts';
import { type TenantsResource, tenantsResource } from './resources/tenants.ts';
import { type TimelinesResource, timelinesResource } from './resources/timelines.ts';
import { type VerificationsResource, verificationsResource } from './resources/verifications.ts';
import { type ViewerTokensResource, viewerTokensResource } from './resources/viewer-tokens.ts';
import type { RetryOptions } from './retry.ts';
import { type CallOptions, type Fetch, Sender } from './sender.ts';

/** Which service, and how to talk to it. */
export interface ClientOptions {
  /** Address of the service, `http:` or `https:`. A path is kept: `https://example.com/audit`. */
  readonly url: string | URL;
  /**
   * An API key, or the token of a login. A function returns it when it is needed, and a new one after the service refused the last one:
   * tokens of logins expire within minutes or hours. @defaultValue none: only calls that need no key succeed
   */
  readonly apiKey?: Credential | undefined;
  /** Carries the requests: for tests, proxies, or a service in the same process. @defaultValue the global `fetch` */
  readonly fetch?: Fetch | undefined;
  readonly retry?: RetryOptions | undefined;
  /** What the messages of errors call the service. @defaultValue the origin of `url` */
  readonly name?: string | undefined;
}

/** Which part of a chain the service checks. */
export interface VerifyQuery {
  /** Needed where the API key is valid for several tenants. */
  readonly tenant_id?: string | undefined;
  readonly sequence_from?: number | undefined;
  readonly sequence_to?: number | undefined;
  /** By the time of chaining, RFC 3339; included. */
  readonly ingested_from?: string | undefined;
  /** By the time of chaining, RFC 3339; not included. */
  readonly ingested_to?: string | undefined;
  /** Sign the newest records first. @defaultValue false */
  readonly fresh?: boolean | undefined;
}

/**
 * The HTTP API of one audit service. All results have the names and shapes of the API (`@tallystick/protocol`).
 *
 * A request that may be repeated without further effect is retried after a broken connection and after 408, 425, 429 and
 * 5xx. Every call takes an `AbortSignal`, throws a {@link ClientError}, and throws the signal's reason when aborted.
 */
export interface Client {
  readonly events: EventsResource;
  readonly stats: StatsResource;
  readonly timelines: TimelinesResource;
  readonly logs: LogsResource;
  readonly tenants: TenantsResource;
  readonly producers: ProducersResource;
  readonly apiKeys: ApiKeysResource;
  readonly subjects: SubjectsResource;
  readonly viewerTokens: ViewerTokensResource;
  readonly approvals: ApprovalsResource;
  readonly deadLetters: DeadLettersResource;
  readonly followers: FollowersResource;
  readonly openIntents: OpenIntentsResource;
  readonly health: HealthResource;
  readonly verifications: VerificationsResource;
  /**
   * Lets the service check a part of a chain. A long range is checked in parts: continue at `next_sequence` until
   * `complete` is true. The service checks itself here; to be sure without trusting it, read a bundle and verify that with
   * `@tallystick/verify`.
   */
  verify(query?: VerifyQuery, options?: CallOptions): Promise<VerifyReport>;
}

/**
 * Creates a client. It opens no connection and holds no resources.
 *
 * @throws {ClientError} `OPTIONS_INVALID`
 */
export function createClient(options: ClientOptions): Client {
  const root = rootOf(options.url);
  const sender = new Sender({
    name: options.name ?? root.origin,
    root,
    credential: new CredentialSource(options.apiKey),
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    retry: options.retry ?? {},
  });
  return {
    events: eventsResource(sender),
    stats: statsResource(sender),
    timelines: timelinesResource(sender),
    logs: logsResource(sender),
    tenants: tenantsResource(sender),
    producers: producersResource(sender),
    apiKeys: apiKeysResource(sender),
    subjects: subjectsResource(sender),
    viewerTokens: viewerTokensResource(sender),
    approvals: approvalsResource(sender),
    deadLetters: deadLettersResource(sender),
    followers: followersResource(sender),
    openIntents: openIntentsResource(sender),
    health: healthResource(sender),
    verifications: verificationsResource(sender),
    verify: async (query = {}, { signal } = {}) =>
      await sender.json({ path: 'v1/audit/verify', query: { ...query }, signal }),
  };
}

function rootOf(given: string | URL): URL {
  const url = URL.canParse(String(given)) ? new URL(given) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ClientError('OPTIONS_INVALID', 'url is not an http: or https: address');
  }
  if (url.username !== '' || url.password !== '') {
    throw new ClientError('OPTIONS_INVALID', 'url must not hold a user name or password: use apiKey');
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}
