import type { Client, EventPageQuery } from '@tallystick/client';
import { expect, it } from 'vitest';
import { chainStateOf } from '../../../src/site/overview/chain-state.ts';

const signal = new AbortController().signal;
const chain = {
  ...{ tenant_id: 'acme', epoch: 2, size: 10, head_hash: '', signed_size: 8 as number | null },
  last_ingested_at: '2026-03-01T12:00:10Z',
  signed_at: '2026-03-01T12:00:09Z' as string | null,
  last_verification: null as object | null,
};

/** A service with one chain, whose records were chained one second after the other in both epochs. */
function clientOf(state: Partial<typeof chain>) {
  const asked: EventPageQuery[] = [];
  const record = (epoch: number, number: number) => ({
    ...{ epoch, sequence_number: number },
    ingested_at: `2026-0${epoch}-01T12:00:0${number}Z`,
  });
  const client = {
    tenants: {
      list: async ({ tenant_id }: { tenant_id: string }) => ({
        tenants: [{ ...chain, ...state }].filter((each) => each.tenant_id === tenant_id),
      }),
    },
    events: {
      list: async (query: EventPageQuery) => {
        asked.push(query);
        const number = Number((query.filters as { sequence_from?: number }).sequence_from);
        return { events: [record(1, number), record(2, number)] };
      },
    },
  } as unknown as Client;
  return { client, asked };
}

/** Storage of a browser that has verified a tree of seven records of an epoch. */
const storageOf = (epoch?: number) => ({
  getItem: (name: string) => {
    if (epoch === undefined || name !== 'tallystick.log./|acme') return null;
    const root = Buffer.alloc(32).toString('base64');
    const note = `log.example/acme/${epoch}\n7\n${root}\n\n\u2014 log.example/acme ${Buffer.alloc(68).toString('base64')}\n`;
    return JSON.stringify({ key: '', by: 'hand', checkpoint: { note, kept_at: '2026-03-01T13:00:00Z' } });
  },
  setItem: () => {},
});
const stateOf = async (state: Partial<typeof chain>, { epoch }: { epoch?: number } = {}) => {
  const { client, asked } = clientOf(state);
  const place = { logName: 'log.example', storage: storageOf(epoch) };
  return { asked, state: await chainStateOf(client, 'acme', place, signal) };
};

it('says until when records are signed, by the last one that a checkpoint covers', async () => {
  const { state, asked } = await stateOf({});
  expect(state).toEqual({
    ...{ records: 10, newest: '2026-03-01T12:00:10Z', unsigned: 2 },
    ...{ signedUntil: '2026-02-01T12:00:07Z', signedAt: '2026-03-01T12:00:09Z' },
    ...{ checked: undefined, verified: undefined },
  });
  expect(asked).toEqual([
    {
      ...{ tenant_id: 'acme', include_reads: true, limit: 10 },
      filters: { sequence_from: 7, sequence_to: 7 },
    },
  ]);
});

it('says when the service checked the whole chain, and how that ended', async () => {
  const last_verification = { verdict: 'broken', checked_at: '2026-03-01T14:00:00Z', size: 9 };
  expect((await stateOf({ last_verification })).state?.checked).toEqual({
    ...{ verdict: 'broken', at: '2026-03-01T14:00:00Z', records: 9 },
  });
});

it('asks for no record where all are signed, or none is', async () => {
  const all = await stateOf({ signed_size: 10 });
  expect(all.state).toMatchObject({ unsigned: 0, signedUntil: '2026-03-01T12:00:10Z' });
  const none = await stateOf({ signed_size: null });
  expect(none.state).toMatchObject({ unsigned: 10, signedUntil: undefined });
  expect([...all.asked, ...none.asked]).toEqual([]);
});

it('knows what this browser verified of this epoch, and nothing of another chain', async () => {
  expect((await stateOf({}, { epoch: 2 })).state?.verified).toEqual({
    ...{ records: 7, at: '2026-03-01T13:00:00Z' },
  });
  expect((await stateOf({}, { epoch: 1 })).state?.verified).toBeUndefined();
  expect((await stateOf({ tenant_id: 'globex' })).state).toBeUndefined();
});
