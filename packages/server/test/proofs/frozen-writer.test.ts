import { expect, test } from 'vitest';
import { anEvent } from '../events.ts';
import { serverSite } from '../sites.ts';

const tenant = 'frozen';
const submission = () => ({
  events: [JSON.stringify(anEvent(tenant))],
  source: 'test',
  trust: 'operator' as const,
});

// Found by the fault campaign: a writer that was frozen just after it had read a head was evicted, and the other writers
// continued and signed. When it woke, its head was behind the signed checkpoint, like after a restored backup. So it stopped
// the chain and refused acknowledged events.
test('a writer that was evicted while it was frozen notices that its head is outdated', async () => {
  const site = await serverSite();
  const [frozen, other] = [await site.open(), await site.open()];
  await other.submit(submission());
  await other.logs.checkpoint(tenant);
  const look = frozen.logs.guard.assertCurrent.bind(frozen.logs.guard);
  let freezes = 1;
  frozen.logs.guard.assertCurrent = async (session, head) => {
    if (freezes-- > 0) {
      await site.tamper(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity
          where datname = current_database() and state = 'idle in transaction'`,
      );
      await other.submit(submission());
      await other.logs.checkpoint(tenant);
    }
    await look(session, head);
  };

  const [result] = await frozen.submit(submission());
  expect(result).toMatchObject({ status: 'chained', receipt: { sequence_number: 3 } });
  expect(freezes).toBeLessThan(0);
  expect(frozen.logs.stopped.size).toBe(0);
  await frozen.close();
  await other.close();
  site.remove();
});
