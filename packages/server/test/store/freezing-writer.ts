/**
 * A process that freezes in the middle of a COPY while it holds the lock of a head, and continues when it is woken. Prints
 * `locked` before it freezes, and its outcomes at the end.
 */
import { writeSync } from 'node:fs';
import type { EventItem } from '../../src/chain/batch.ts';
import { Writer } from '../../src/chain/writer.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { anItem, logName, statuses } from '../events.ts';

const [url, tenant] = process.argv.slice(2) as [string, string];
const database = new PostgresDatabase({ url });
const filler = { metadata: { filler: 'x'.repeat(1_000) } };

/** An event that freezes the process when its bytes are read for the second time, which is in the COPY. */
function freezing(item: EventItem): EventItem {
  let looks = 0;
  return {
    ...item,
    get canonical() {
      if (++looks === 2) {
        writeSync(1, 'locked\n');
        process.kill(process.pid, 'SIGSTOP');
      }
      return item.canonical;
    },
  };
}

const batch = Array.from({ length: 600 }, (_, at) => {
  const item = anItem(tenant, filler);
  return at === 400 ? freezing(item) : item;
});
const outcomes = await new Writer(database, { logName }).submit(batch);
writeSync(1, `${[...new Set(statuses(outcomes))].join()}\n`);
await database.close();
