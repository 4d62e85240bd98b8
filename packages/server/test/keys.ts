import { ApiKeys } from '../src/access/api-keys.ts';
import { KeyBook } from '../src/chain/books/key-book.ts';
import { rangeAppender } from '../src/ingest/append-ranges.ts';
import type { Database } from '../src/store/database.ts';
import { logName } from './events.ts';

/** Records the keys of a test. */
export function keyBook(database: Database): KeyBook {
  const appendRanges = rangeAppender(database, { logName }, {});
  return new KeyBook({ database, appendRanges, serviceTenant: 'tallystick' });
}

/** The API keys of a store without a service. */
export function apiKeys(database: Database, now?: () => number): ApiKeys {
  return new ApiKeys(database, keyBook(database), now);
}
