/**
 * A process that freezes in the middle of a COPY, with the head of a chain locked, and when it is woken goes on as if
 * nothing had happened. Says `locked` just before, and its outcomes when it is done.
 */
import { writeSync } from 'node:fs';
import type { EventItem } from '../../src/chain/batch.ts';
import { Writer } from '../../src/chain/writer.ts';
import { PostgresDatabase } from '../../src/store/postgres.ts';
import { anItem, logName, statuses } from '../events.ts';

const [url, tenant] = process.argv.slice(2) as [string, string];
const database = new PostgresDatabase({ url });
const filler = { metadata: { filler: 'x'.repeat(1_000) } };

/** An event whose bytes can be looked at, and the second look, which is that of the COPY, freezes the process. */
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
