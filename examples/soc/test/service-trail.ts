import { type AuditEvent, createAuditEmitter } from '@tallystick/sdk';
import { AuditService, Trail } from '@tallystick/server';
import { type EmbeddedDesk, embeddedDesk, transportOf } from '@tallystick/server/embedded';
import { prepareEmbeddedStore, until } from '@tallystick/testing';
import { type SocEmitter, taxonomy } from '../src/platform/recorder.ts';
import type { Settings } from '../src/platform/settings.ts';
import { minimumApprovalRules } from '../src/response-agent/response-policy.ts';
import type { ServiceName } from '../src/soc.ts';

type Approval = Awaited<ReturnType<EmbeddedDesk['decide']>>;
/** A record as the service shows it. */
export interface TrailEvent extends AuditEvent {
  /** Its position in the chain of its tenant. */
  readonly sequence_number: number;
}

/** What the desk was asked to do, and did. */
export type DeskStep =
  | { readonly step: 'requested' | 'claimed'; readonly approvalId: string }
  | { readonly step: 'granted' | 'denied'; readonly approvalId: string; readonly person: string };

/** An audit service with its approval desk, in this process, and what observers saw who read no record. */
export class ServiceTrail {
  readonly service: AuditService;
  /** Each step that the desk took, in order. */
  readonly steps: DeskStep[] = [];
  /** `audit_id` and type of each event that a service of the platform has sent. */
  readonly sent = new Map<string, string>();
  /** What the emitters report, such as lost events. */
  readonly faults: unknown[] = [];
  readonly #desk: EmbeddedDesk;
  readonly #emitters: { close(): Promise<unknown>; flush(): Promise<unknown> }[] = [];

  private constructor(service: AuditService) {
    this.service = service;
    this.#desk = embeddedDesk(service, { subject: 'response-agent', intervalMs: 300 });
  }

  /** @param directory for the trail; empty */
  static async open(directory: string, settings: Settings): Promise<ServiceTrail> {
    await prepareEmbeddedStore(directory);
    const service = await AuditService.open({
      store: { directory },
      logName: 'soc.example.com',
      approvalIntervalMs: 100,
    });
    const trail = new ServiceTrail(service);
    await trail.#desk.setRules('*', '*', minimumApprovalRules(settings));
    return trail;
  }

  /** The desk as the platform uses it. */
  get desk(): EmbeddedDesk {
    return {
      ...this.#desk,
      request: async (request) => {
        const approval = await this.#desk.request(request);
        this.steps.push({ step: 'requested', approvalId: approval.id });
        return approval;
      },
      claim: async (claim) => {
        const approval = await this.#desk.claim(claim);
        this.steps.push({ step: 'claimed', approvalId: approval.id });
        return approval;
      },
    };
  }

  /** A person decides an approval. */
  async decide({ id, document }: Approval, person: string, verdict: 'grant' | 'deny'): Promise<void> {
    await this.#desk.decide(document.tenant_id, id, { verdict, subject: person });
    const step = verdict === 'grant' ? 'granted' : 'denied';
    this.steps.push({ step, approvalId: id, person });
  }

  async approvals(tenants: readonly string[]): Promise<Approval[]> {
    return (await Promise.all(tenants.map((tenant) => this.#desk.list(tenant)))).flat();
  }

  /** The emitter of a service of the platform. */
  emitterOf(service: ServiceName): SocEmitter {
    const transport = transportOf(this.service);
    const emitter = createAuditEmitter({
      service,
      taxonomy,
      flushOnExit: false,
      onError: (error) => this.faults.push(error),
      transport: {
        ...transport,
        send: (batch, signal) => {
          for (const text of batch.events) {
            const { audit_id, event_type } = JSON.parse(text) as { audit_id: string; event_type: string };
            this.sent.set(audit_id, event_type);
          }
          return transport.send(batch, signal);
        },
      },
    });
    this.#emitters.push(emitter);
    return emitter as unknown as SocEmitter;
  }

  /** All records of the tenants, one tenant after the other, each in the order of its chain. */
  async events(tenants: readonly string[]): Promise<TrailEvent[]> {
    for (const emitter of this.#emitters) await emitter.flush();
    const events: TrailEvent[] = [];
    for (const tenantId of tenants) {
      let cursor: string | undefined;
      do {
        const page = await new Trail(this.service.database).list(
          { tenantId, order: 'asc', limit: 1_000, ...(cursor !== undefined && { cursor }) },
          { sensitive: true },
        );
        events.push(...(page.events as unknown as TrailEvent[]));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
    }
    return events;
  }

  async close(): Promise<void> {
    for (const emitter of this.#emitters) await emitter.close();
    await this.service.close();
  }
}

/** Resolves when no approval is pending or waits for its use. */
export async function untilDecided(trail: ServiceTrail, tenants: readonly string[]): Promise<void> {
  const isOpen = ({ state }: Approval) => state === 'pending' || state === 'granted';
  await until(async () => !(await trail.approvals(tenants)).some(isOpen), {
    what: 'the end of all approvals',
    timeoutMs: 60_000,
  });
}
