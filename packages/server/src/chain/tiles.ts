import { tileWidth, toHex } from '@tallystick/log';
import type { Statement } from '../store/database.ts';
import type { CompletedTile } from './seal.ts';

// The database hashes the leaves that are older than this batch from its records: at most 255 per batch and tenant. A
// cache of them in this process could disagree with the store.
const insertLeafTiles = `
  insert into audit_tiles (tenant_id, epoch, level, index, root, hashes)
  select t.tenant_id, t.epoch, 0, t.index, decode(t.root, 'hex'),
         coalesce((select string_agg(sha256('\\x00'::bytea || r.record_hash), ''::bytea order by r.sequence_number)
                     from audit_records r
                    where r.tenant_id = t.tenant_id and r.epoch = t.epoch
                      and r.sequence_number >= t.index * ${tileWidth}
                      and r.sequence_number < t.index * ${tileWidth} + t.missing), ''::bytea)
         || decode(t.leaves, 'hex')
    from jsonb_to_recordset($1::jsonb)
      as t(tenant_id text, epoch integer, index bigint, root text, leaves text, missing integer)`;

const insertUpperTile = `
  insert into audit_tiles (tenant_id, epoch, level, index, root, hashes)
  select $1, $2::integer, $3::integer, $4::bigint, decode($5, 'hex'), string_agg(root, ''::bytea order by index)
    from audit_tiles
   where tenant_id = $1 and epoch = $2::integer and level = $3::integer - 1
     and index >= $4::bigint * ${tileWidth} and index < ($4::bigint + 1) * ${tileWidth}`;

/** Writes the tiles that a batch completed, lower levels first. Part of the batch's transaction. */
export function storeTiles(tiles: readonly CompletedTile[]): Statement[] {
  const leafTiles = tiles.filter((tile) => tile.level === 0);
  if (leafTiles.length === 0) return [];
  const rows = leafTiles.map((tile) => ({
    tenant_id: tile.tenantId,
    epoch: tile.epoch,
    index: tile.index,
    root: toHex(tile.root),
    leaves: tile.leaves,
    missing: tileWidth - tile.leaves.length / 64,
  }));
  const upper = tiles.filter((tile) => tile.level > 0).sort((a, b) => a.level - b.level);
  return [
    { text: insertLeafTiles, values: [JSON.stringify(rows)] },
    ...upper.map(({ tenantId, epoch, level, index, root }) => ({
      text: insertUpperTile,
      values: [tenantId, epoch, level, index, toHex(root)],
    })),
  ];
}
