import { uuidv7 } from '@tallystick/event';
import { until } from '@tallystick/testing';
import type { Random } from '../faults/draw.ts';
import type { Replica } from './replica.ts';
import type { Failpoint } from './replica-messages.ts';
import { end, intended, type Stage } from './stage.ts';

/** What happens in a round. Afterwards the campaign waits until the follower has read everything, and compares. */
type Fault = (stage: Stage, random: Random) => Promise<void>;

/** Lets a replica end or freeze itself at a stage. Every replica has tenants, so with traffic it soon gets there. */
async function strike(stage: Stage, random: Random, failpoint: Failpoint): Promise<Replica> {
  const replica = stage.replicas[random(0, 1)]!;
  replica.arm(failpoint);
  await until(
    async () => {
      await stage.traffic(random);
      return replica.isStruck;
    },
    { timeoutMs: 60_000, intervalMs: 100, what: 'the failpoint of a replica' },
  );
  await stage.traffic(random);
  return replica;
}

/** A replica dies at a stage of a visit, and another one takes its place. */
function killAt(stage: Failpoint['stage']): Fault {
  return async (at, random) => await at.replace(await strike(at, random, { stage, signal: 'SIGKILL' }));
}

/** A replica freezes at a stage until the other one has done its work, and then wakes up. */
function freezeAt(stage: Failpoint['stage']): Fault {
  return async (at, random) => {
    const replica = await strike(at, random, { stage, signal: 'SIGSTOP' });
    // Only the other replica can read the tenants of the frozen one: its leases have expired.
    await at.settle();
    replica.thaw();
    await at.traffic(random);
  };
}

/** A reset fills the rows anew beside those in use, while a replica dies. */
const rebuild: Fault = async (stage, random) => {
  await stage.service.followerOperations.reset('open-intents');
  await stage.traffic(random);
  await stage.replace(stage.replicas[random(0, 1)]!);
};

/** Moves what the service knows of time an hour back, as if the hour had passed. */
async function passHour(stage: Stage, tenant: string): Promise<void> {
  const ago = "- interval '1 hour'";
  await stage.asOwner(
    `update audit_open_intents set ingested_at = ingested_at ${ago}, deadline = deadline ${ago}, client_deadline = client_deadline ${ago},
            check_at = check_at ${ago} where tenant_id = $1`,
    [tenant],
  );
  await stage.asOwner(`update audit_follower_clock set awake_since = awake_since ${ago}`);
  await stage.asOwner(`update audit_producers set last_seen_at = last_seen_at ${ago} where tenant_id = $1`, [
    tenant,
  ]);
}

async function expectNoFinding(stage: Stage, tenant: string): Promise<void> {
  // The row was due and was looked at: `check_at` has moved on.
  await until(
    async () => {
      const sql = 'select check_at > clock_timestamp() as later from audit_open_intents where tenant_id = $1';
      const rows = await stage.asOwner<{ later: boolean | null }>(sql, [tenant]);
      return rows.length > 0 && rows.every(({ later }) => later === true);
    },
    { timeoutMs: 60_000, intervalMs: 50, what: 'a look at the open intent' },
  );
  const findings = await stage.asOwner(
    "select 1 from audit_records where tenant_id = $1 and event_type = 'agent.action.unresolved'",
    [tenant],
  );
  if (findings.length > 0) throw new Error('an end that waits in a backlog was recorded as missing');
}

/** The end of an action is in the spool of its producer for an hour. */
const hourInSpool: Fault = async (stage, random) => {
  const [tenant, intent, producer_id] = [`spooled-${uuidv7()}`, uuidv7(), uuidv7()];
  await stage.submit([intended(tenant, intent, 60_000)], { producer_id, sequences: [1] });
  await stage.settle();
  await passHour(stage, tenant);
  await expectNoFinding(stage, tenant);
  await stage.submit([end(tenant, intent)], { producer_id, sequences: [2] });
  await stage.traffic(random);
};

/** The end of an action is in a topic for an hour: a replica reads the partition, and has not reached its end. */
const hourInTopic: Fault = async (stage, random) => {
  const [tenant, intent] = [`queued-${uuidv7()}`, uuidv7()];
  const topic = ['campaign', tenant, 0] as const;
  await stage.asOwner(
    `insert into audit_source_positions (cluster_id, topic_id, partition, topic, next_offset, checked_at, drained_at)
     values ($1, $2, $3, 'audit.events', 1, clock_timestamp(), clock_timestamp() - interval '61 minutes')`,
    [...topic],
  );
  await stage.submit([intended(tenant, intent, 60_000)]);
  await until(
    async () =>
      (await stage.asOwner('select 1 from audit_open_intents where tenant_id = $1', [tenant])).length > 0,
    {
      timeoutMs: 60_000,
      intervalMs: 50,
    },
  );
  await passHour(stage, tenant);
  await expectNoFinding(stage, tenant);
  await stage.submit([end(tenant, intent)]);
  await stage.asOwner('delete from audit_source_positions where topic_id = $1', [tenant]);
  await stage.traffic(random);
};

/** All faults, by the name that the report uses. */
export const faults: { readonly [name: string]: Fault } = {
  'kill-after-read': killAt('read'),
  'kill-before-commit': killAt('applied'),
  'kill-after-commit': killAt('committed'),
  'freeze-after-read': freezeAt('read'),
  'freeze-before-commit': freezeAt('applied'),
  'freeze-after-commit': freezeAt('committed'),
  rebuild,
  'hour-in-spool': hourInSpool,
  'hour-in-topic': hourInTopic,
  'restore-and-recover': (stage, random) => stage.restoreBackup(random),
};
