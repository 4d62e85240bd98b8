import type { RunningService } from 'tallystick/demo/story-parts';
import type { Feed } from '../corpus/feed.ts';
import type { CatalogName } from '../models/named-catalog.ts';
import type { FalsePositivePattern } from '../platform/knowledge.ts';
import type { Tenant } from '../platform/tenants.ts';

export interface PlatformOptions {
  /** The audit service, which is in this process. */
  readonly running: RunningService;
  readonly tenants: readonly Tenant[];
  readonly models: CatalogName;
  /** For what the services keep. */
  readonly directory: string;
}

/** The platform of the demo, wherever its services run. */
export interface DemoPlatform {
  readonly feed: Feed;
  /** Resolves when nothing moves any more, or waits for people, and the audit service has every record. */
  settled(): Promise<void>;
  /** Plans that wait for people. */
  openPlans(): Promise<number>;
  /** Reviews all closed investigations that wait for it. */
  review(): Promise<void>;
  patternsOf(tenantId: string): Promise<readonly FalsePositivePattern[]>;
  approvePattern(tenantId: string, patternId: string, person: string): Promise<void>;
  /** Stops the services. @throws {Error} if a record is not in the trail: refused, dropped or not confirmed */
  stop(): Promise<void>;
}
