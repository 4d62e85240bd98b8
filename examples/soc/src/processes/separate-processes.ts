import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@tallystick/client';
import { createTopics } from '../platform/kafka/topic-settings.ts';
import { platformTenant } from '../platform/tenants.ts';
import { Unavailable } from '../platform/topics.ts';
import { minimumApprovalRules } from '../response-agent/response-policy.ts';
import type { ServiceName } from '../soc.ts';
import { CallClient } from './calls/call-client.ts';
import { loopbackPorts } from './loopback-ports.ts';
import { checkPlatformSettings, type PlatformSettingsInput, thresholdsOf } from './process-settings.ts';
import { serviceNames } from './service-names.ts';
import { Stillness } from './stillness.ts';
import { type Stopped, Supervisor, type SupervisorOptions } from './supervisor.ts';

const lookAgainMs = 50;

export interface SeparateProcessesOptions
  extends Pick<SupervisorOptions, 'program' | 'onOutput' | 'onRestart'> {
  /** Without `ports`: free ones are found. */
  readonly platform: Omit<PlatformSettingsInput, 'ports'>;
  /** Administers the audit service: it makes a key for each service, and sets the rules of approvals. */
  readonly admin: Client;
}

/** All services as separate processes, over a broker and an audit service that run already. */
export class SeparateProcesses {
  readonly supervisor: Supervisor;
  readonly #clients: ReadonlyMap<ServiceName, CallClient>;
  readonly #stillness: Stillness;

  private constructor(
    supervisor: Supervisor,
    clients: ReadonlyMap<ServiceName, CallClient>,
    stillness: Stillness,
  ) {
    this.supervisor = supervisor;
    this.#clients = clients;
    this.#stillness = stillness;
  }

  /** Creates the topics and the keys, and starts the services. Resolves when all of them work. */
  static async start(options: SeparateProcessesOptions): Promise<SeparateProcesses> {
    const { admin, program, onOutput, onRestart } = options;
    const found = await loopbackPorts(serviceNames.length);
    const ports = Object.fromEntries(serviceNames.map((name, at) => [name, found[at]!]));
    const platform = checkPlatformSettings({ ...options.platform, ports });
    const { kafka, tenants } = platform;
    await createTopics(kafka.brokers, kafka.prefix);
    const rules = minimumApprovalRules(thresholdsOf(platform));
    await admin.approvals.setRules({ tenant_id: '*', action: '*', rules });
    const supervisor = new Supervisor({
      ...{ platform, program, onOutput, onRestart },
      apiKeys: await apiKeysOf(
        admin,
        tenants.map(({ id }) => id),
      ),
    });
    await supervisor.start();
    const { callKey: key } = supervisor;
    const clients = new Map(
      serviceNames.map((name) => [
        name,
        new CallClient({ url: `http://127.0.0.1:${platform.ports[name]}`, key }),
      ]),
    );
    return new SeparateProcesses(
      supervisor,
      clients,
      new Stillness(kafka.brokers, (name) => clients.get(name)!),
    );
  }

  /** Calls a function of a service, such as the review of a batch. */
  call(service: ServiceName, name: string, argument: unknown = null, timeoutMs = 120_000): Promise<unknown> {
    return this.#clients.get(service)!.call(name, argument, timeoutMs);
  }

  /** Plans that wait for people or are being carried out. */
  async openPlans(): Promise<number> {
    return (await this.#stillness.statuses()).get('response-agent')!.open;
  }

  /** Resolves when nothing moves any more: everything is handled and recorded, or waits for people. */
  async settled(): Promise<void> {
    for (;;) {
      try {
        if (await this.#stillness.isStill()) return;
      } catch (error) {
        // A process that was killed is being started again.
        if (!(error instanceof Unavailable)) throw error;
      }
      await pause(lookAgainMs);
    }
  }

  async stop(): Promise<Stopped> {
    await this.#stillness.close();
    return this.supervisor.stop();
  }
}

/** A key for each service. Only the response agent may ask for approvals. */
async function apiKeysOf(admin: Client, tenants: readonly string[]) {
  const keys = serviceNames.map(async (name) => {
    const { key } = await admin.apiKeys.create({
      name,
      subject: name,
      scopes: name === 'response-agent' ? ['events:write', 'approvals:request'] : ['events:write'],
      tenants: [...tenants, platformTenant],
    });
    return [name, key] as const;
  });
  return Object.fromEntries(await Promise.all(keys)) as Record<ServiceName, string>;
}
