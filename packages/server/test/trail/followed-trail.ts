import { uuidv7 } from '@tallystick/event';
import { afterAll, beforeAll, expect } from 'vitest';
import type { AuditService } from '../../src/app.ts';
import type { Follower } from '../../src/followers/follower.ts';
import type { PgliteDatabase } from '../../src/store/pglite/pglite.ts';
import { type ListQuery, Trail } from '../../src/trail/trail.ts';
import { manualFollowers, rounds } from '../followers/manual-rounds.ts';
import { embeddedSite, type Site } from '../sites.ts';
import { runSql } from '../stores.ts';

/** Members of an event that are not those of every event here. */
export type Fields = { readonly [field: string]: unknown };

/** What a test of lists and counts works with. The service and its trail exist as soon as the tests run. */
export interface FollowedTrail {
  readonly service: AuditService;
  readonly trail: Trail;
  /** Chains events, each with these members beside those that every event here has. */
  submit(tenantId: string, events: readonly Fields[]): Promise<void>;
  /** Lets followers read all chains to their heads. */
  follow(followers: readonly Follower[]): Promise<void>;
  /** Changes the store as its owner. */
  asOwner(sql: string): Promise<unknown>;
  /** All pages of a list, by sequence number. */
  found(
    query: ListQuery,
    options?: { readonly reader?: Trail; readonly view?: { readonly sensitive: boolean } },
  ): Promise<number[]>;
}

/** Opens a service for the tests of a suite. Its followers run only when a test says so. */
export function followedTrail(make: () => Promise<Site> = embeddedSite): FollowedTrail {
  const followers = manualFollowers();
  let site: Site;
  let service: AuditService;
  let trail: Trail;
  beforeAll(async () => {
    site = await make();
    service = await site.open({ followers: false });
    trail = new Trail(service.database);
  }, 120_000);
  afterAll(async () => {
    await service?.close();
    site?.remove();
  });
  return {
    get service() {
      return service;
    },
    get trail() {
      return trail;
    },
    async submit(tenant_id, events) {
      const texts = events.map((fields) => JSON.stringify({ ...common(tenant_id), ...fields }));
      const results = await service.submit({ events: texts, source: 'embedded', trust: 'operator' });
      expect(results.flatMap((result) => ('error' in result ? [result.error] : []))).toEqual([]);
    },
    async follow(which) {
      const running = followers.run(service.database, which);
      await rounds(running, async () => {
        for (const { name } of which) {
          const info = await service.followerOperations.get(name);
          if (info.records > 0 || info.building !== null) return false;
        }
        return true;
      });
      await running.close();
    },
    asOwner: async (sql) =>
      site.ownerUrl === undefined
        ? await (service.database as PgliteDatabase).asOwner((session) => session.query(sql))
        : await runSql(site.ownerUrl, sql),
    async found(query, { reader = trail, view = { sensitive: true } } = {}) {
      const sequences: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await reader.list({ ...query, cursor }, view);
        sequences.push(...page.events.map((event) => event.sequence_number));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      return sequences as number[];
    },
  };
}

const common = (tenant_id: string) => ({
  audit_id: uuidv7(),
  tenant_id,
  timestamp: '2026-03-01T12:00:00.000Z',
  event_type: 'content.publish',
  actor_type: 'user',
  actor_id: 'ann',
  source_service: 'test',
});
