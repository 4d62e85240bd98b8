import { type Client, ClientError } from '@tallystick/client';
import type { RetryResult } from '@tallystick/protocol';
import { expect, it } from 'vitest';
import {
  mostResubmitted,
  openReasons,
  type Resubmitted,
  resubmit,
  selectedLetters,
} from '../../../src/site/operations/resubmission.ts';

const { signal } = new AbortController();
const letter = (at: number) => ({ id: `letter-${at}` });

/** A service with so many dead letters, which answers to an attempt with what `retry` gives. */
function clientOf({
  count = 0,
  retry = () => ({ status: 'noted' }),
}: {
  readonly count?: number;
  readonly retry?: (id: string) => RetryResult;
}) {
  const asked: object[] = [];
  const client = {
    deadLetters: {
      list: async (query: { readonly limit: number; readonly cursor?: string }) => {
        asked.push(query);
        const from = Number(query.cursor ?? 0);
        const to = Math.min(count, from + query.limit);
        const dead_letters = Array.from({ length: to - from }, (_, at) => letter(from + at));
        return { dead_letters, ...(to < count && { next_cursor: String(to) }) };
      },
      purge: async (purge: object) => {
        asked.push(purge);
        return { purged: false, letters: 4, by_reason: { FIELD_UNKNOWN: 1, EVENT_TYPE_UNKNOWN: 3 } };
      },
      retry: async (id: string) => retry(id),
    },
  } as unknown as Client;
  return { client, asked };
}

async function outcomes(client: Client, letters: readonly object[]): Promise<string[]> {
  const found: string[] = [];
  for await (const { letter: of, outcome, text, auditId } of resubmit(
    client,
    letters as Resubmitted['letter'][],
  ))
    found.push([of.id, outcome, auditId ?? text].join(' '));
  return found;
}

it('counts what waits by reason, and erases nothing', async () => {
  const { client, asked } = clientOf({});
  expect(await openReasons(client, 'acme', signal)).toEqual([
    ['EVENT_TYPE_UNKNOWN', 3],
    ['FIELD_UNKNOWN', 1],
  ]);
  expect(asked).toEqual([{ tenant_id: 'acme', state: 'open', dry_run: true }]);
});

it('takes the oldest of one reason, and no more than a run may submit', async () => {
  const { client, asked } = clientOf({ count: 1_000 });
  const letters = await selectedLetters(client, { tenant: undefined, reason: 'FIELD_UNKNOWN' }, signal);
  expect(letters.map(({ id }) => id)).toEqual(
    Array.from({ length: mostResubmitted }, (_, at) => letter(at).id),
  );
  expect(asked).toHaveLength(2);
  expect(asked[0]).toMatchObject({ reason: 'FIELD_UNKNOWN', state: 'open' });
  const { client: few } = clientOf({ count: 3 });
  expect(await selectedLetters(few, { tenant: 'acme', reason: 'x' }, signal)).toHaveLength(3);
});

it('says what came of each, and goes on after one that another person has erased', async () => {
  const answers: { readonly [id: string]: () => RetryResult } = {
    'letter-0': () => ({ status: 'chained', receipt: { audit_id: 'a' } }) as RetryResult,
    'letter-1': () => ({ status: 'rejected', error: { code: 'FIELD_ENUM', message: 'no' } }) as RetryResult,
    'letter-2': () => {
      throw new ClientError('REFUSED', 'the dead letter was purged');
    },
    'letter-3': () => ({ status: 'noted' }),
  };
  const { client } = clientOf({ retry: (id) => answers[id]!() });
  expect(await outcomes(client, [0, 1, 2, 3].map(letter))).toEqual([
    'letter-0 chained a',
    'letter-1 refused It was refused again (FIELD_ENUM): no.',
    'letter-2 gone the dead letter was purged',
    'letter-3 noted The producer’s account has it now.',
  ]);
});

it('ends with a failure that the next one would meet too', async () => {
  let tried = 0;
  const { client } = clientOf({
    retry: () => {
      tried++;
      throw new ClientError('SERVICE_FAILED', 'the chain has stopped');
    },
  });
  await expect(outcomes(client, [0, 1].map(letter))).rejects.toMatchObject({ code: 'SERVICE_FAILED' });
  expect(tried).toBe(1);
});
