import { ServerError } from '../errors.ts';
import { type Database, writer } from '../store/database.ts';
import { registerFollowers } from './control.ts';
import type { Follower } from './follower.ts';
import { type FollowerLag, readLag } from './lag.ts';
import { beginRebuild, resetTenant } from './rebuild.ts';

/** A tenant for which a follower has stopped. */
export interface StoppedTenant {
  readonly tenant_id: string;
  readonly code: string;
  readonly reason: string;
  readonly epoch: number;
  /** The last record that was read; -1: none. */
  readonly sequence_number: number;
  readonly stopped_at: Date;
}

/** A follower, as its rows say. */
export interface FollowerInfo extends FollowerLag {
  readonly name: string;
  readonly effect: 'database' | 'outside';
  readonly generation: number;
  readonly building: number | null;
  /** Records that a rebuild has not read yet. Absent while none runs. */
  readonly buildingLeft?: number;
  readonly paused_at: Date | null;
  readonly paused_by: string | null;
}

/** What operators do with followers. It works on the store alone, also while no service runs. */
export class FollowerOperations {
  readonly #database: Database;
  readonly #followers: readonly Follower[];

  constructor(database: Database, followers: readonly Follower[]) {
    this.#database = database;
    this.#followers = followers;
  }

  /** Every follower of this version. */
  async list(): Promise<FollowerInfo[]> {
    const infos: FollowerInfo[] = [];
    for (const { name } of this.#followers) infos.push(await this.get(name));
    return infos;
  }

  /** @throws {ServerError} `NOT_FOUND` */
  async get(name: string): Promise<FollowerInfo> {
    const follower = this.#follower(name);
    type Control = Omit<FollowerInfo, keyof FollowerLag | 'buildingLeft'>;
    const [row] = await this.#database.query<Control>(
      writer,
      'select name, effect, generation, building, paused_at, paused_by from audit_followers where name = $1',
      [name],
    );
    const control: Control = row ?? {
      name,
      effect: follower.effect,
      generation: 1,
      building: null,
      paused_at: null,
      paused_by: null,
    };
    const { generation, building } = control;
    return {
      ...control,
      ...(await readLag(this.#database, { follower: name, generation })),
      ...(building !== null && {
        buildingLeft: (await readLag(this.#database, { follower: name, generation: building })).records,
      }),
    };
  }

  /** Tenants for which a follower has stopped, in the order of their ids. */
  async stopped(name: string, limit: number): Promise<StoppedTenant[]> {
    this.#follower(name);
    return await this.#database.query<StoppedTenant>(
      writer,
      `select c.tenant_id, c.stopped_code as code, c.stopped_reason as reason, c.epoch, c.sequence_number, c.stopped_at
         from audit_follower_cursors c join audit_followers f on f.name = c.follower and f.generation = c.generation
        where c.follower = $1 and c.stopped_code is not null order by c.tenant_id limit $2::integer`,
      [name, limit],
    );
  }

  /** Lets a follower read nothing more until it is resumed. A visit that runs now is finished. */
  async pause(name: string, by: string): Promise<void> {
    await this.#change(
      name,
      'update audit_followers set paused_at = coalesce(paused_at, clock_timestamp()), paused_by = coalesce(paused_by, $2) where name = $1',
      [by],
    );
  }

  /** Lets a paused follower go on; or, with a tenant, tries again where it has stopped for this tenant. */
  async resume(name: string, tenantId?: string): Promise<void> {
    if (tenantId === undefined) {
      await this.#change(
        name,
        'update audit_followers set paused_at = null, paused_by = null where name = $1',
        [],
      );
      return;
    }
    await this.#change(
      name,
      `update audit_follower_cursors set stopped_code = null, stopped_reason = null, stopped_at = null
        where follower = $1 and tenant_id = $2`,
      [tenantId],
    );
  }

  /**
   * Lets a follower read the chains again from their start. For all tenants, it fills new rows beside those in use and swaps them while
   * the service runs. For one tenant, the rows are deleted first.
   */
  async reset(name: string, tenantId?: string): Promise<void> {
    const follower = this.#follower(name);
    await registerFollowers(this.#database, [follower]);
    await this.#database.transaction(writer, (session) =>
      tenantId === undefined ? beginRebuild(session, name) : resetTenant(session, follower, tenantId),
    );
  }

  async #change(name: string, sql: string, values: readonly unknown[]): Promise<void> {
    await registerFollowers(this.#database, [this.#follower(name)]);
    await this.#database.query(writer, sql, [name, ...values]);
  }

  #follower(name: string): Follower {
    const found = this.#followers.find((follower) => follower.name === name);
    if (found !== undefined) return found;
    const names = this.#followers.map((follower) => follower.name).join(', ');
    throw new ServerError('NOT_FOUND', `there is no such follower; this version has ${names}`);
  }
}
