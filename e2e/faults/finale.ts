import { AuditService } from '@tallystick/server';
import { until } from '@tallystick/testing';
import { verifyStore } from '@tallystick/verify';
import { logName, type Stage } from './stage.ts';
import { TrailCheck } from './trail-check.ts';

/** Reads the whole trail once more, from the first record, and has the outsider's verifier judge every chain of it. */
export async function verifyWhole(stage: Stage, say: (line: string) => void): Promise<void> {
  const whole = new TrailCheck(logName, stage.traffic);
  const signed = stage.signedHeads();
  await stage.withStore((query) => whole.compare(query, signed));
  const missing = whole.missing(stage.traffic.acknowledged.length);
  const problems = [...whole.problems, ...missing.map((id) => `acknowledged and not stored: ${id}`)];
  const keys = await signAll(stage);
  let records = 0;
  await stage.withStore(async (query) => {
    for (const [tenantId, key] of keys) {
      const report = await verifyStore((sql, parameters) => query(sql, [...parameters]), {
        tenantId,
        logName,
        keys: [key],
      });
      records += report.records;
      if (report.verdict === 'verified' && report.unsigned_tail === 0) continue;
      problems.push(`${tenantId}: the verifier says ${JSON.stringify(report)}`);
    }
  });
  if (problems.length > 0) throw new Error(`the whole trail: ${problems.slice(0, 10).join('\n')}`);
  say(`verified: ${keys.size} chains, ${records} records`);
}

/** Signs every log as it stands; gives the key that each is to be verified with. */
async function signAll(stage: Stage): Promise<Map<string, string>> {
  const service = await AuditService.open({
    store: { databaseUrl: stage.serviceUrl },
    signerDirectory: stage.signerDirectory,
    logName,
    checkpointIntervalMs: 0,
  });
  try {
    await service.logs.checkpointAll((tenantId, error) => {
      throw new Error(`no checkpoint of ${tenantId}`, { cause: error });
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

/** Waits until every number that a producer gave out has ended in a chain, and every producer has said its last one. */
export async function settleAccounts(stage: Stage, say: (line: string) => void): Promise<void> {
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
  await until(settled, { timeoutMs: stage.settings.patienceMs, intervalMs: 500 }).catch(() => {
    throw new Error(`accounts of producers stay open: ${JSON.stringify(accounts)}`);
  });
  say(`settled: the accounts of ${accounts.producers} producers and tenants`);
}

/** All that a redelivery must leave as it is. */
const fingerprintSql = `
  select (select count(*)::text from audit_records) as records,
         (select md5(string_agg(encode(record_hash, 'hex'), '' order by tenant_id, epoch, sequence_number))
            from audit_records) as hashes,
         (select md5(string_agg(s::text, '' order by tenant_id)) from audit_chain_state s) as heads,
         (select md5(string_agg(encode(root, 'hex'), '' order by tenant_id, epoch, level, index)) from audit_tiles) as tiles,
         (select count(*)::text from audit_dead_letters) as dead_letters`;

/** Forgets how far the topic was read, and has it read from its first message by a new group: nothing may change. */
export async function redeliverAll(stage: Stage, say: (line: string) => void): Promise<void> {
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
    { timeoutMs: 10 * settings.patienceMs, intervalMs: 500, what: 'the redelivery of the whole topic' },
  );
  const after = await fingerprint();
  for (const [what, value] of Object.entries(before)) {
    if (after[what] !== value) throw new Error(`redelivery changed ${what}: ${value} became ${after[what]}`);
  }
  say(`redelivered: ${ends.reduce((sum, end) => sum + end, 0)} messages, nothing changed`);
}
