import { createVerifier } from '@tallystick/log';
import { verifyStore } from '@tallystick/verify';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AuditService } from '../../../src/app.ts';
import { planRecovery, recoverChain } from '../../../src/operations/recover.ts';
import { verifyRange } from '../../../src/proofs/verification/verify-range.ts';
import { writer } from '../../../src/store/database.ts';
import { ownerAccess } from '../../../src/store/owner.ts';
import { Trail } from '../../../src/trail/trail.ts';
import { anEvent, logName } from '../../events.ts';
import { embeddedSite, type Site } from '../../sites.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
const tenant = 'acme';
const texts = (count: number) => Array.from({ length: count }, () => JSON.stringify(anEvent(tenant)));

/**
 * Somebody with the rights of a superuser changes one column of heads, tiles, checkpoints or closed epochs. Tiles of closed epochs,
 * the list of closed epochs and the time of the head were once compared by no verifier.
 */
describe('a changed column', () => {
  let site: Site;
  let service: AuditService;
  const tables = ['audit_chain_state', 'audit_tiles', 'audit_checkpoints', 'audit_closed_epochs'];
  /** Runs statements with the rights of a superuser, without the triggers of the store. */
  const asSuperuser = async (statements: readonly string[]) => {
    const asOwner = ownerAccess(service.database, undefined);
    await asOwner(async (session) => {
      for (const sql of ['set local session_replication_role = replica', ...statements])
        await session.query(sql);
    });
  };

  beforeAll(async () => {
    site = await embeddedSite();
    const submit = (count: number) =>
      service.submit({ source: 'test', trust: 'operator', events: texts(count) });
    service = await site.open();
    await submit(530);
    await service.close();
    await site.save();
    service = await site.open();
    await submit(70);
    await service.logs.checkpoint(tenant);
    await service.close();
    await site.putBack();
    service = await site.open();
    const [plan] = await planRecovery(service);
    await recoverChain(service, plan!, 'restored from the backup of noon');
    await submit(300);
    await service.logs.checkpoint(tenant);
    await asSuperuser(tables.map((table) => `create table saved_${table} as table ${table}`));
  }, 180_000);
  afterAll(async () => {
    await service.close();
    site.remove();
  });
  afterEach(async () => {
    await asSuperuser(
      tables.flatMap((table) => [
        `delete from ${table}`,
        `insert into ${table} overriding system value table saved_${table}`,
      ]),
    );
    await service.logs.guard.reviewStopped();
  });

  /** What the service's own check and the check of the store say. A bundle has none of these tables. */
  const verdicts = async () => {
    const { publicKey } = service.signer.store.publicKeys()[0]!;
    const keys = [createVerifier(`${logName}/${tenant}/2`, publicKey)];
    const query = (sql: string, parameters: readonly unknown[]) =>
      service.database.query<{ readonly [column: string]: unknown }>(writer, sql, parameters);
    const reports = [
      await verifyRange(service, new Trail(service.database), { tenantId: tenant }),
      await verifyStore(query, { tenantId: tenant, logName, keys }),
    ];
    return reports.map(({ verdict, findings }) => {
      const codes = findings.map(({ code, epoch }) => (epoch === undefined ? code : `${code} ${epoch}`));
      return `${verdict} ${codes.join()}`;
    });
  };

  test('is none here', async () => {
    expect(await verdicts()).toEqual(['recovered ', 'recovered ']);
  });

  const of = (epoch: number) => `where tenant_id = '${tenant}' and epoch = ${epoch}`;
  const tile = (change: string, epoch: number, index: number) =>
    `update audit_tiles set ${change} ${of(epoch)} and index = ${index}`;
  const head = (change: string) => `update audit_chain_state set ${change} where tenant_id = '${tenant}'`;
  const listed = (change: string) => `update audit_closed_epochs set ${change} ${of(1)}`;
  const flip = (column: string) => `${column} = set_byte(${column}, 0, get_byte(${column}, 0) # 1)`;

  /** The finding of each verifier; `unseen` where it does not read the column. */
  const unseen = 'recovered ';
  type Expected = readonly [service: string, store: string];
  const tileOf = (epoch?: number): Expected => {
    const code = epoch === undefined ? 'TILE_MISMATCH' : `TILE_MISMATCH ${epoch}`;
    return [code, code];
  };
  const headIs = (code: string): Expected => [code, code];

  test.each<[string, string, Expected]>([
    ['hashes of a tile', tile(flip('hashes'), 2, 0), tileOf()],
    ['root of a tile', tile(flip('root'), 2, 0), tileOf()],
    ['index of a tile', tile('index = 7', 2, 0), tileOf()],
    ['level of a tile', tile('level = 3', 2, 0), tileOf()],
    ['epoch of a tile', tile('epoch = 5', 2, 0), tileOf()],
    ['hashes of a closed tile', tile(flip('hashes'), 1, 0), tileOf(1)],
    ['root of a closed tile', tile(flip('root'), 1, 1), tileOf(1)],
    ['index of a closed tile', tile('index = 9', 1, 1), tileOf(1)],
    ['level of a closed tile', tile('level = 2', 1, 1), tileOf(1)],
    ['epoch of a closed tile', tile('epoch = 7', 1, 1), tileOf(1)],
    ['tenant of a closed tile', tile("tenant_id = 'other'", 1, 1), tileOf(1)],
    ['last_hash of the head', head(flip('last_hash')), headIs('HEAD_MISMATCH')],
    ['frontier of the head', head(flip('frontier')), headIs('HEAD_MISMATCH')],
    ['length of the frontier', head('frontier = substr(frontier, 2)'), headIs('HEAD_MISMATCH')],
    [
      'time of the head',
      head("last_ingested_at = last_ingested_at - interval '1 ms'"),
      headIs('HEAD_MISMATCH'),
    ],
    ['last position of the head, up', head('last_sequence = last_sequence + 1'), headIs('HEAD_MISMATCH')],
    ['last position of the head, down', head('last_sequence = last_sequence - 1'), headIs('HEAD_MISMATCH')],
    ['epoch of the head, up', head('epoch = 3'), headIs('')],
    ['epoch of the head, down', head('epoch = 1'), headIs('')],
    ['tenant of the head', head("tenant_id = 'other'"), headIs('')],
    ['end of a closed epoch, down', listed('last_sequence = 200'), headIs('HEAD_MISMATCH 1')],
    ['end of a closed epoch, up', listed('last_sequence = 9000'), headIs('HEAD_MISMATCH 1')],
    ['epoch of a closed epoch', listed('epoch = 4'), headIs('STRAY_ROW 4')],
    ['tenant of a closed epoch', listed("tenant_id = 'other'"), headIs('HEAD_MISMATCH 1')],
    [
      'a listed epoch that the chain never had',
      `insert into audit_closed_epochs (tenant_id, epoch, last_sequence) values ('${tenant}', 9, 3)`,
      headIs('STRAY_ROW 9'),
    ],
    [
      'root of a checkpoint',
      `update audit_checkpoints set ${flip('root')} ${of(2)}`,
      [unseen, 'COLUMN_MISMATCH'],
    ],
  ])('%s is found by every verifier that can see it', async (_, sql, expected) => {
    await asSuperuser([sql]);
    const found = await verdicts();
    for (const [at, verifier] of ['service', 'store'].entries()) {
      const code = expected[at]!;
      const pattern = code === unseen ? /^recovered $/ : new RegExp(`^broken .*${code}`);
      expect([verifier, found[at]]).toEqual([verifier, expect.stringMatching(pattern)]);
    }
  });
});
