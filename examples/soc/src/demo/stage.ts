import type { Narrator } from 'tallystick/demo/story-parts';
import type { Tenant } from '../platform/tenants.ts';
import type { Highlights } from './highlights.ts';
import type { LiveView } from './live-view.ts';
import type { People } from './people.ts';
import type { DemoPlatform } from './platform.ts';
import type { TrailReader } from './trail-reader.ts';

/** What the acts of the demo play with. */
export interface Stage {
  readonly platform: DemoPlatform;
  readonly people: People;
  readonly tenants: readonly Tenant[];
  readonly trail: TrailReader;
  readonly view: LiveView;
  readonly highlights: Highlights;
  readonly narrator: Narrator;
}

/** Resolves when nothing moves any more, or waits for people, and all records of it were shown. */
export async function settled(stage: Stage): Promise<void> {
  await stage.platform.settled();
  await showNew(stage);
}

/** Shows what was chained since the last time. */
export async function showNew({ trail, view, highlights }: Stage): Promise<void> {
  const records = await trail.next();
  for (const { tenantId, event } of records) highlights.add(tenantId, event);
  await view.show(records, trail.size);
}

/** Says what an act came to, below the records that it showed. */
export async function conclude(
  { view, narrator }: Pick<Stage, 'view' | 'narrator'>,
  step: string,
  text: string,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  view.clearStatus();
  await narrator.done(step, text, facts);
}
