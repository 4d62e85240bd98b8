import { type Client, ClientError } from '@tallystick/client';
import { readForkReport } from '@tallystick/verify';
import { expect, test } from 'vitest';
import { head3, head5, leaves } from '../../../../spec/vectors/generator/bundle-parts.ts';
import { base64, origin, trusted } from '../../../../spec/vectors/generator/fixture.ts';
import { consistency } from '../../../../spec/vectors/generator/naive-tree.ts';
import { isAlarm, visitLog } from '../../src/trust/log-visit.ts';
import { LogMemory } from '../../src/trust/memory.ts';

type Answer<T> = () => Promise<T>;
const refuse = (code: ClientError['code'], status: number) => async (): Promise<never> => {
  throw new ClientError(code, `the service answered ${status}`, { status });
};

/** A service that is hostile in one answer. */
function service({
  keys = async () => ({ origin, keys: [{ key: trusted, created_at: '' }], rotations: [] }),
  checkpoint = async () => head5,
  proof = async () => ({ hashes: consistency(3, leaves).map(base64) }),
}: {
  readonly keys?: Answer<unknown>;
  readonly checkpoint?: Answer<string>;
  readonly proof?: Answer<unknown>;
} = {}): Client {
  return { logs: { keys, checkpoint, consistencyProof: proof } } as unknown as Client;
}

/** The memory of a browser that verified three records before, or nothing. */
function browser(note?: string): LogMemory {
  const items = new Map<string, string>();
  const memory = new LogMemory(
    { getItem: (name) => items.get(name) ?? null, setItem: (name, text) => void items.set(name, text) },
    'https://audit.example.com',
    'acme',
  );
  if (note === undefined) return memory;
  memory.pin(trusted);
  memory.keep(note, 0);
  return memory;
}

const visit = async (client: Client, memory = browser(head3)) =>
  await visitLog(
    client,
    memory,
    { tenant: 'acme', server: 'https://audit.example.com', key: undefined, now: 0 },
    new AbortController().signal,
  );

test('a log that grew is remembered', async () => {
  const memory = browser(head3);
  const grown = await visit(service(), memory);
  expect([grown.state, isAlarm(grown), memory.read()?.note]).toEqual(['grown', false, head5]);
  expect((await visit(service(), browser())).state).toBe('first_visit');
});

test.each<[string, Parameters<typeof service>[0]]>([
  ['its keys', { keys: refuse('NOT_FOUND', 404) }],
  ['its checkpoint', { checkpoint: refuse('NOT_FOUND', 404) }],
])(
  'a service that says of a known log that it does not exist, instead of %s, raises an alarm',
  async (_, hostile) => {
    const memory = browser(head3);
    const gone = await visit(service(hostile), memory);
    expect([gone.state, gone.keptSize, isAlarm(gone)]).toEqual(['missing', 3, true]);
    expect(memory.read()?.note).toBe(head3);
    // A tenant without a chain has no log yet.
    await expect(visit(service(hostile), browser())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  },
);

test.each<[string, Answer<never>]>([
  ['says that there is no proof', refuse('NOT_FOUND', 404)],
  ['refuses the proof', refuse('REFUSED', 400)],
])('a service that %s raises an alarm, with a report: a fork would hide otherwise', async (_, proof) => {
  const memory = browser(head3);
  const visited = await visit(service({ proof }), memory);
  expect([visited.state, isAlarm(visited), memory.read()?.note]).toEqual(['no_proof', true, head3]);
  expect(readForkReport(visited.report!)?.relation).toBe('no_proof');
});

test('a checkpoint that can not be read raises an alarm', async () => {
  const visited = await visit(service({ checkpoint: async () => 'nothing' }));
  expect([visited.state, isAlarm(visited), visited.report]).toEqual(['malformed', true, undefined]);
});

test.each<[ClientError['code'], number]>([
  ['SERVICE_FAILED', 503],
  ['SERVICE_FAILED', 429],
  ['UNAUTHENTICATED', 401],
])('a service that can not answer now is no reason for an alarm: %s %i', async (code, status) => {
  await expect(visit(service({ proof: refuse(code, status) }))).rejects.toMatchObject({ code });
});
