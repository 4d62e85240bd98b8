import { setTimeout as wait } from 'node:timers/promises';
import { parseVerifierKey, type Verifier } from '@tallystick/log';
import { type Report, verifyBundle } from '@tallystick/verify';
import { CliError } from '../errors.ts';
import type {
  ApiKeyInfo,
  Backend,
  DeadLetterInfo,
  DeadLetterQuery,
  EventPage,
  EventQuery,
  EventView,
  NewApiKey,
  ProducerAccount,
  ProducerQuery,
  PurgeOutcome,
  PurgeQuery,
  RetryOutcome,
  SettleOutcome,
  SettleQuery,
  SubmitOutcome,
  TenantInfo,
  VerifyOptions,
} from './backend.ts';
import { peekBundle } from './bundle-head.ts';
import { readServerSentEvents } from './server-sent-events.ts';
import type { Wire, WireRequest } from './wire.ts';

type Parameters = { readonly [name: string]: string | number | undefined };

const reconnectAfterMs = 1_000;
const pageSize = 500;

/** The trail as its HTTP API shows it. */
export class HttpBackend implements Backend {
  readonly name: string;
  readonly #wire: Wire;

  constructor(name: string, wire: Wire) {
    this.name = name;
    this.#wire = wire;
  }

  async submit(events: readonly string[], _source: string): Promise<readonly SubmitOutcome[]> {
    // Spliced, not parsed and written again: the events are texts whose numbers must stay as they are.
    const answer = await this.#json('v1/audit/events/batch', {
      method: 'POST',
      body: `{"events":[${events.join(',')}]}`,
    });
    const { results } = answer as { results?: unknown };
    if (Array.isArray(results) && results.length === events.length) return results as SubmitOutcome[];
    throw new CliError('SERVICE_ERROR', `${this.name} did not answer for each event of the batch`);
  }

  async listEvents({ tenant, filters, order, limit, cursor }: EventQuery): Promise<EventPage> {
    const path = withQuery('v1/audit/events', { ...filters, tenant_id: tenant, order, limit, cursor });
    return (await this.#json(path)) as EventPage;
  }

  async getEvent(tenant: string, auditId: string): Promise<EventView> {
    const path = withQuery(`v1/audit/events/${encodeURIComponent(auditId)}`, { tenant_id: tenant });
    return (await this.#json(path)) as EventView;
  }

  async *follow({ tenant, filters }: EventQuery, signal: AbortSignal): AsyncGenerator<EventView> {
    const path = withQuery('v1/audit/events/stream', { ...filters, tenant_id: tenant });
    let last: string | undefined;
    // A connection that breaks is taken up again where it broke off; a refusal is not.
    while (!signal.aborted) {
      const headers = { accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) };
      try {
        const response = await this.#wire(path, { headers, signal });
        for await (const message of readServerSentEvents(bodyOf(response))) {
          last = message.id ?? last;
          yield JSON.parse(message.data) as EventView;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof CliError || error instanceof SyntaxError) throw error;
      }
      await wait(reconnectAfterMs, undefined, { signal }).catch(() => {});
    }
  }

  async checkpoint(tenant: string): Promise<string> {
    return await (await this.#wire(`v1/logs/${encodeURIComponent(tenant)}/checkpoint?fresh=true`)).text();
  }

  async *bundle(
    tenant: string,
    range?: { readonly first: number; readonly last: number },
  ): AsyncGenerator<Uint8Array> {
    const response = await this.#wire(
      withQuery(`v1/logs/${encodeURIComponent(tenant)}/bundle`, { ...range }),
    );
    yield* bodyOf(response);
  }

  async verify(tenant: string, options: VerifyOptions): Promise<Report> {
    const head = await peekBundle(this.bundle(tenant));
    // Another tenant's trail may well be in order, and its key be trusted: it answers another question.
    if (head.origin !== undefined && head.tenant !== tenant) {
      throw new CliError('BROKEN', `${this.name} was asked for the trail of ${tenant}, and gave another one`);
    }
    // A part can't be held against a checkpoint that was kept: a service that was set back would hide behind one.
    if (head.origin !== undefined && !head.complete) {
      throw new CliError(
        'BROKEN',
        `${this.name} was asked for the trail of ${tenant}, and gave a part of one`,
      );
    }
    const { origin, offered, bytes } = head;
    const own = offered.find(({ name }) => name === origin);
    const { onTrusted, onProgress } = options;
    if (origin === undefined) return await verifyBundle(bytes, { keys: [] });
    const { verifiers, trust, checkpoints } = await options.judge(origin, own);
    return await verifyBundle(bytes, { keys: verifiers, trust, checkpoints, onTrusted, onProgress });
  }

  async offeredKey(tenant: string): Promise<Verifier | undefined> {
    const answer = (await this.#json(`v1/logs/${encodeURIComponent(tenant)}/keys`)) as {
      keys: { key: string }[];
    };
    // Newest first; retired ones are for checkpoints that were signed before.
    const newest = answer.keys[0]?.key;
    return newest === undefined ? undefined : parseVerifierKey(newest);
  }

  async receipt(tenant: string, auditId: string): Promise<string> {
    const path = `v1/logs/${encodeURIComponent(tenant)}/receipt/${encodeURIComponent(auditId)}`;
    return await (await this.#wire(path)).text();
  }

  async *listTenants(): AsyncGenerator<TenantInfo> {
    yield* this.#pages<TenantInfo>('v1/tenants', 'tenants', {});
  }

  async *listProducers({ tenant, all, silentSeconds }: ProducerQuery): AsyncGenerator<ProducerAccount> {
    const parameters = {
      tenant_id: tenant,
      silent_seconds: silentSeconds,
      all: all === true ? 'true' : undefined,
    };
    yield* this.#pages<ProducerAccount>('v1/audit/producers', 'producers', parameters);
  }

  async settleProducers({
    tenant,
    producerIds,
    silentSeconds,
    reason,
    dryRun,
  }: SettleQuery): Promise<SettleOutcome> {
    const body = JSON.stringify({
      tenant_id: tenant,
      producer_ids: producerIds,
      silent_seconds: silentSeconds,
      reason,
      dry_run: dryRun,
    });
    return (await this.#json('v1/audit/producers/settle', { method: 'POST', body })) as SettleOutcome;
  }

  async listApiKeys(): Promise<readonly ApiKeyInfo[]> {
    return ((await this.#json('v1/api-keys')) as { api_keys: ApiKeyInfo[] }).api_keys;
  }

  async createApiKey(key: NewApiKey): Promise<{ readonly id: string; readonly key: string }> {
    const answer = await this.#json('v1/api-keys', { method: 'POST', body: JSON.stringify(key) });
    return answer as { id: string; key: string };
  }

  async revokeApiKey(id: string): Promise<void> {
    await this.#wire(`v1/api-keys/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  async *listDeadLetters({ tenant, ...filter }: DeadLetterQuery): AsyncGenerator<DeadLetterInfo> {
    const parameters = { ...filter, tenant_id: tenant };
    yield* this.#pages<DeadLetterInfo>('v1/dead-letters', 'dead_letters', parameters);
  }

  async getDeadLetter(id: string): Promise<DeadLetterInfo> {
    return (await this.#json(`v1/dead-letters/${encodeURIComponent(id)}`)) as DeadLetterInfo;
  }

  async retryDeadLetter(id: string): Promise<RetryOutcome> {
    const path = `v1/dead-letters/${encodeURIComponent(id)}/retry`;
    return (await this.#json(path, { method: 'POST' })) as RetryOutcome;
  }

  async purgeDeadLetters({ tenant, dryRun, ...filter }: PurgeQuery): Promise<PurgeOutcome> {
    const body = JSON.stringify({ ...filter, tenant_id: tenant, dry_run: dryRun });
    return (await this.#json('v1/dead-letters/purge', { method: 'POST', body })) as PurgeOutcome;
  }

  async *#pages<T>(path: string, member: string, parameters: Parameters): AsyncGenerator<T> {
    let cursor: string | undefined;
    do {
      const page = (await this.#json(withQuery(path, { ...parameters, limit: pageSize, cursor }))) as {
        readonly [name: string]: unknown;
      };
      yield* page[member] as T[];
      cursor = (page.next_cursor as string | null | undefined) ?? undefined;
    } while (cursor !== undefined);
  }

  async #json(path: string, request?: WireRequest): Promise<unknown> {
    const response = await this.#wire(path, request);
    try {
      return await response.json();
    } catch (cause) {
      throw new CliError(
        'SERVICE_ERROR',
        `${this.name} did not answer with JSON: is it a Tallystick service?`,
        { cause },
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function withQuery(path: string, parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query}`;
}

async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body !== null) yield* response.body as unknown as AsyncIterable<Uint8Array>;
}
