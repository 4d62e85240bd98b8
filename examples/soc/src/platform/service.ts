import type { Clock } from '@tallystick/sdk';
import type { Ids } from './ids.ts';
import type { SocEmitter } from './recorder.ts';
import type { Settings } from './settings.ts';
import type { TenantDirectory } from './tenants.ts';
import type { TopicBus } from './topics.ts';
import type { Units } from './unit-of-work.ts';

/** What every service is made with. */
export interface ServiceParts {
  readonly topics: TopicBus;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly tenants: TenantDirectory;
  /** Without an emitter the service does the same and records nothing. */
  readonly audit?: SocEmitter | undefined;
  /** Makes changes that belong together take effect together. @defaultValue each takes effect at once */
  readonly units?: Units | undefined;
  /** Called with errors that no caller gets. @defaultValue none */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** One of the services of the platform. */
export interface Service {
  readonly name: string;
  /** Subscribes to its topics. */
  start(): Promise<void>;
  /** Finishes the messages that it is handling, and takes no more. */
  stop(): Promise<void>;
}
