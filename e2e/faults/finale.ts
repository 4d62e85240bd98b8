import { AuditService } from '@tallystick/server';
import { until } from '@tallystick/testing';
import { verifyStore } from '@tallystick/verify';
import { logName, type Stage } from './stage.ts';
import { TrailCheck } from './trail-check.ts';

/** Checks the whole trail again from its first record, and verifies every chain with `@tallystick/verify`. */
export async function verifyWhole(stage: Stage, report: (line: string) => void): Promise<void> {
  const whole = new TrailCheck(logName, stage.traffic);
  const signed = stage.signedTrees();
  await stage.withStore((query) => whole.compare(query, signed));
  const missing = whole.missing(stage.traffic.acknowledged.length);
  const problems = [...whole.problems, ...missing.map((id) => `acknowledged, but not stored: ${id}`)];
  const keys = await signAll(stage);
  let records = 0;
  await stage.withStore(async (query) => {
    for (const [tenantId, key] of keys) {
      const result = await verifyStore((sql, parameters) => query(sql, [...parameters]), {
        tenantId,
        logName,
        keys: [key],
      });
      records += result.records;
      if (result.verdict === 'verified' && result.unsigned_tail === 0) continue;
      problems.push(`${tenantId}: the verifier reports ${JSON.stringify(result)}`);
    }
  });
  if (problems.length > 0) throw new Error(`the whole trail: ${problems.slice(0, 10).join('\n')}`);
  report(`verified: ${keys.size} chains, ${records} records`);
}

/** Signs every log, and returns the key to verify it with, by tenant. */
async function signAll(stage: Stage): Promise<Map<string, string>> {
  const service = await AuditService.open({
    store: { databaseUrl: stage.serviceUrl },
    signerDirectory: stage.signerDirectory,
    logName,
    checkpointIntervalMs: 0,
  });
  try {
    await service.logs.checkpointAll((tenantId, error) => {
      throw new Error(`can't sign a checkpoint of ${tenantId}`, { cause: error });
    });
    const tenants = await stage.withStore((query) =>
      query<{ tenant_id: string }>('select distinct tenant_id from audit_records'),
    );
    const keys = new Map<string, string>();
    for (const { tenant_id } of tenants) {
      const [newest] = await service.logs.verifierKeys(tenant_id);
      keys.set(tenant_id, newest!.key);
    }
    return keys;
  } finally {
    await service.close();
  }
}

/** Waits until every number of every producer is accounted for, up to the last one, which the producer has declared. */
export async function settleAccounts(stage: Stage, report: (line: string) => void): Promise<void> {
  let accounts = { producers: 0, open: 0, ranges: 0 };
  const settled = async () => {
    const [row] = await stage.withStore((query) =>
      query<typeof accounts>(
        `select count(*)::int as producers, (select count(*)::int from audit_producer_ranges) as ranges,
                count(*) filter (where final_seq is null or settled_to <> final_seq)::int as open
           from audit_producers`,
      ),
    );
    accounts = row!;
    return accounts.producers > 0 && accounts.open === 0 && accounts.ranges === 0;
  };
  await until(settled, { timeoutMs: stage.settings.recoveryMs, intervalMs: 500 }).catch(() => {
    throw new Error(`accounts of producers are not settled: ${JSON.stringify(accounts)}`);
  });
  report(`settled: ${accounts.producers} accounts of producers`);
}

/** Everything that a redelivery must not change. */
const fingerprintSql = `
  select (select count(*)::text from audit_records) as records,
         (select md5(string_agg(encode(record_hash, 'hex'), '' order by tenant_id, epoch, sequence_number))
            from audit_records) as hashes,
         (select md5(string_agg(s::text, '' order by tenant_id)) from audit_chain_state s) as heads,
         (select md5(string_agg(encode(root, 'hex'), '' order by tenant_id, epoch, level, index)) from audit_tiles) as tiles,
         (select count(*)::text from audit_dead_letters) as dead_letters`;

/** Deletes the stored positions, and lets a new group read the topic from its first message: nothing may change. */
export async function redeliverAll(stage: Stage, report: (line: string) => void): Promise<void> {
  const { fleet, topic, settings } = stage;
  await fleet.close();
  const fingerprint = async () => {
    const [row] = await stage.withStore((query) => query<Record<string, string>>(fingerprintSql));
    return row!;
  };
  const before = await fingerprint();
  await stage.asOwner('delete from audit_source_positions');
  stage.groupId = 'tallystick.audit-service.again';
  await fleet.grow(2);
  const ends = await topic.ends();
  await until(
    async () => {
      const positions = await stage.withStore((query) =>
        query<{ partition: number; next: number }>(
          'select partition, next_offset::int as next from audit_source_positions',
        ),
      );
      return ends.every(
        (end, partition) => end === 0 || positions.some((at) => at.partition === partition && at.next >= end),
      );
    },
    { timeoutMs: 10 * settings.recoveryMs, intervalMs: 500, what: 'the redelivery of the whole topic' },
  );
  const after = await fingerprint();
  for (const [what, value] of Object.entries(before)) {
    if (after[what] !== value)
      throw new Error(`the redelivery changed ${what} from ${value} to ${after[what]}`);
  }
  report(`redelivered: ${ends.reduce((sum, end) => sum + end, 0)} messages, nothing changed`);
}
