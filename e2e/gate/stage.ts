import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type ApprovalsResource, type Client, createClient } from '@tallystick/client';
import { agent, canonicalize, uuidv7 } from '@tallystick/event';
import type {
  Approval,
  ApprovalDocument,
  ApprovalRules,
  EventView,
  OpenIntent,
  OpenIntentState,
} from '@tallystick/protocol';
import { type AuditEmitter, createAuditEmitter } from '@tallystick/sdk';
import {
  createGate,
  functionPolicy,
  type Gate,
  type GateOptions,
  type PolicyDecision,
} from '@tallystick/sdk/gate';
import { httpTransport } from '@tallystick/sdk/http';
import { AuditService, type HttpServer, serveHttp } from '@tallystick/server';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';

/** The tenant whose agents are hostile. */
export const tenant = 'acme';

/**
 * A service with its desk, and keys for the parties of the attacks: an agent, an approver, an administrator and a tenant next door.
 * Everything goes over HTTP, as it does between real processes.
 */
export class Stage {
  readonly #directory = tempDir();
  readonly #emitters: AuditEmitter[] = [];
  readonly service: AuditService;
  readonly server: HttpServer;
  /** The agent's own key. Its subject is `service:refunds`. */
  readonly agentKey: string;
  readonly approverKey: string;
  readonly auditorKey: string;
  /** What the agent emits with. */
  readonly audit: AuditEmitter;

  private constructor(
    directory: ReturnType<typeof tempDir>,
    parts: { service: AuditService; server: HttpServer; keys: readonly [string, string, string] },
  ) {
    this.#directory = directory;
    this.service = parts.service;
    this.server = parts.server;
    [this.agentKey, this.approverKey, this.auditorKey] = parts.keys;
    this.audit = this.emitter(httpTransport({ url: this.server.url, apiKey: this.agentKey }));
  }

  static async open(): Promise<Stage> {
    const directory = tempDir();
    const data = join(directory.path, 'data');
    await prepareEmbeddedStore(data);
    const service = await AuditService.open({
      store: { directory: data },
      signerDirectory: join(directory.path, 'signer'),
      logName: 'gate.example.com',
      checkpointIntervalMs: 0,
      openIntents: { graceMs: 0 },
    });
    const server = await serveHttp(service, { port: 0, logger: false });
    const tenants = [tenant];
    const keys = await Promise.all([
      service.keys.create({
        name: 'agent',
        subject: 'service:refunds',
        scopes: ['events:write', 'approvals:request'],
        tenants,
      }),
      service.keys.create({ name: 'maria', subject: 'maria', scopes: ['approvals:decide'], tenants }),
      service.keys.create({ name: 'auditor', scopes: ['events:read', 'log:read'], tenants }),
    ]);
    const [first, second, third] = keys.map(({ key }) => key);
    return new Stage(directory, { service, server, keys: [first!, second!, third!] });
  }

  async close(): Promise<void> {
    await Promise.all(this.#emitters.map((emitter) => emitter.close({ deadlineMs: 1_000 })));
    await this.server.close();
    await this.service.close();
    this.#directory.remove();
  }

  emitter(transport: ReturnType<typeof httpTransport>): AuditEmitter {
    const emitter = createAuditEmitter({
      service: 'refunds',
      transport,
      taxonomy: agent,
      flushIntervalMs: 1,
      flushOnExit: false,
      maxRetries: 0,
    }) as unknown as AuditEmitter;
    this.#emitters.push(emitter);
    return emitter;
  }

  /** The client of a key. */
  desk(key: string): ApprovalsResource {
    return this.#client(key).approvals;
  }

  /** The agent's gate. Without a policy it allows everything. */
  gate(options: Partial<GateOptions> = {}): Gate {
    const approvals = this.desk(this.agentKey);
    return createGate({
      audit: this.audit,
      policy: allow,
      desk: approvals,
      ledger: approvals,
      tenantId: tenant,
      actor: { actorType: 'agent', actorId: 'refund-bot' },
      acknowledgeWithinMs: 20_000,
      ...options,
    });
  }

  /** The events with a correlation id, in the order of the chain, after everything emitted has been delivered. */
  async story(correlation_id: string): Promise<readonly EventView[]> {
    await this.audit.flush({ deadlineMs: 30_000 });
    const query = { tenant_id: tenant, filters: { correlation_id }, order: 'asc' } as const;
    return (await this.#client(this.auditorKey).events.list(query)).events;
  }

  /** Number of records in the tenant's chain. */
  async length(): Promise<number> {
    const query = { tenant_id: tenant, include_reads: true, limit: 1 };
    const [newest] = (await this.#client(this.auditorKey).events.list(query)).events;
    return (newest?.sequence_number as number) + 1;
  }

  /** The actions whose end or whose intent is missing. */
  async openIntents(state: OpenIntentState): Promise<readonly OpenIntent[]> {
    return (await this.#client(this.auditorKey).openIntents.list({ tenant_id: tenant, state })).open_intents;
  }

  async typeOf(auditId: string): Promise<unknown> {
    return (await this.#client(this.auditorKey).events.get(auditId, { tenant_id: tenant })).event_type;
  }

  /** The value of a metric of the service. The service reuses values of the store for a minute. */
  async metric(name: string): Promise<number> {
    const headers = { authorization: `Bearer ${this.auditorKey}` };
    const text = await (await fetch(`${this.server.url}/metrics`, { headers })).text();
    return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1]);
  }

  async read(approvalId: string): Promise<Approval> {
    return await this.desk(this.approverKey).get(approvalId, { tenant_id: tenant });
  }

  /** The approval that the action with this correlation id waits for. */
  async pending(correlationId: string): Promise<Approval> {
    let found: Approval | undefined;
    await this.until(async () => {
      const [intent] = await this.story(correlationId);
      const { approvals } = await this.desk(this.approverKey).list({ tenant_id: tenant, state: 'pending' });
      found = approvals.find(({ intent_id }) => intent_id === intent?.audit_id);
      return found !== undefined;
    });
    return found!;
  }

  /** Grants the approval that the action waits for. */
  async grant(correlationId: string): Promise<Approval> {
    const { id, document_digest } = await this.pending(correlationId);
    return await this.desk(this.approverKey).decide(id, {
      verdict: 'grant',
      document_digest,
      tenant_id: tenant,
    });
  }

  /** Records an intent and requests its approval, as a gate does it, but with every part open to change. */
  async requested(
    correlation_id: string,
    { intent = true, intentDigest, action = 'refund', hidden, reason, rules }: RequestChanges = {},
  ): Promise<Approval> {
    const document: ApprovalDocument = {
      tenant_id: tenant,
      action,
      actor: { actor_type: 'agent', actor_id: 'refund-bot' },
      arguments: { amount: 40 },
      ...(hidden !== undefined && { hidden }),
      ...(reason !== undefined && { reason_unverified: reason }),
      policy: { name: 'refunds', version: '1' },
    };
    const digest = createHash('sha256').update(canonicalize(document)).digest('hex');
    const intent_id = uuidv7();
    if (intent) {
      const event = {
        audit_id: intent_id,
        tenant_id: tenant,
        timestamp: new Date().toISOString(),
        event_type: 'agent.action.intended',
        actor_type: 'agent',
        actor_id: 'refund-bot',
        source_service: 'refunds',
        correlation_id,
        context: { document_digest: intentDigest ?? `sha256:${digest}` },
      };
      await this.#client(this.agentKey).events.submit([event]);
    }
    const request = { id: uuidv7(), intent_id, document, ...(rules !== undefined && { rules }) };
    return await this.desk(this.agentKey).request(request);
  }

  /** What the service's own check finds in the tenant's trail. */
  async findings(): Promise<readonly unknown[]> {
    await this.audit.flush({ deadlineMs: 30_000 });
    const response = await fetch(new URL(`v1/audit/verify?tenant_id=${tenant}`, `${this.server.url}/`), {
      headers: { authorization: `Bearer ${this.auditorKey}` },
    });
    const { findings } = (await response.json()) as { findings: readonly unknown[] };
    return findings;
  }

  /** Asks again and again until the answer is yes. The time limit of the test ends it. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  #client(apiKey: string): Client {
    return createClient({ url: this.server.url, apiKey });
  }
}

/** What differs from an honest request. */
interface RequestChanges {
  /** Whether the intent is recorded. */
  readonly intent?: boolean;
  /** The digest in the recorded intent. */
  readonly intentDigest?: string;
  readonly action?: string;
  readonly hidden?: { readonly [pointer: string]: string };
  readonly reason?: string;
  readonly rules?: Partial<ApprovalRules>;
}

/** A policy that always gives one answer. */
export function policyOf(decide: () => PolicyDecision | Promise<PolicyDecision>) {
  return functionPolicy({ name: 'refunds', version: '1', decide });
}

const allow = policyOf(() => ({ effect: 'allow' }));
export const ask = policyOf(() => ({ effect: 'ask' }));
