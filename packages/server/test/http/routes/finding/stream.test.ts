import { once } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { connect, Socket } from 'node:net';
import { until } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Streams } from '../../../../src/http/kernel/streams/streams.ts';
import { serveHttp } from '../../../../src/http/serve.ts';
import { event, Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open({ limits: { heartbeatMs: 30, stalledMs: 200, maxStreams: 3 }, auditReads: true });
});
afterAll(() => http[Symbol.asyncDispose]());

interface Frame {
  readonly id: string;
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: events of many shapes
  readonly data: any;
}

/** A client of server-sent events; collects what it gets until it is closed. */
class Client implements AsyncDisposable {
  readonly frames: Frame[] = [];
  comments = 0;
  ended = false;
  readonly #abort = new AbortController();
  #done: Promise<void> = Promise.resolve();

  static async open(
    query: string,
    options: { key?: string; lastEventId?: string; url?: string } = {},
  ): Promise<Client> {
    const client = new Client();
    const response = await fetch(
      `${options.url ?? http.url}/v1/audit/events/stream?${query}&include_reads=true`,
      {
        signal: client.#abort.signal,
        headers: {
          authorization: `Bearer ${options.key ?? http.admin}`,
          ...(options.lastEventId !== undefined && { 'last-event-id': options.lastEventId }),
        },
      },
    );
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    client.#done = client.#read(response.body!);
    await until(() => client.comments > 0);
    return client;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) {
        rest += decoder.decode(chunk, { stream: true });
        const parts = rest.split('\n\n');
        rest = parts.pop()!;
        for (const part of parts) this.#take(part);
      }
    } catch {
      // This client has closed the connection, or it broke.
    }
    this.ended = true;
  }

  #take(part: string): void {
    if (part.startsWith(':')) {
      this.comments++;
      return;
    }
    const fields = Object.fromEntries(part.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2)));
    this.frames.push({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
    await until(() => this.ended);
  }
}

const emit = (tenant_id: string, count: number, fields: object = {}) =>
  http.ingest(Array.from({ length: count }, () => event({ tenant_id, ...fields })));
const sequences = (client: Client) =>
  client.frames
    .filter((frame) => !frame.data.event_type?.startsWith('audit.'))
    .map((frame) => frame.data.sequence_number);

describe('the live tail', () => {
  it('gives what is chained from now on, in order, with signs of life', async () => {
    await emit('live', 2);
    await using client = await Client.open('tenant_id=live');
    await emit('live', 3);
    await emit('live', 200);
    await until(() => sequences(client).length === 203);
    expect(client.frames[0]).toMatchObject({
      id: '1-3',
      event: 'audit',
      data: { tenant_id: 'live', sequence_number: 3 },
    });
    const numbers = client.frames.map((frame) => frame.data.sequence_number);
    expect(numbers).toEqual(numbers.map((_, at) => 3 + at));
    const before = client.comments;
    await until(() => client.comments > before + 1);
  });

  it('goes on where a broken connection ended, without a gap or a repetition', async () => {
    await emit('resumed', 5);
    let lastEventId: string;
    {
      await using client = await Client.open('tenant_id=resumed&sequence_from=1');
      await until(() => sequences(client).length >= 5);
      expect(sequences(client)).toEqual([1, 2, 3, 4, 5]);
      lastEventId = client.frames[2]!.id;
    }
    await emit('resumed', 3, { actor_id: 'later' });
    await using again = await Client.open('tenant_id=resumed', { lastEventId });
    await until(() => again.frames.filter((frame) => frame.data.actor_id === 'later').length === 3);
    const numbers = again.frames.map((frame) => frame.data.sequence_number);
    expect(numbers).toEqual(numbers.map((_, at) => 4 + at));
    const bad = await fetch(`${http.url}/v1/audit/events/stream?tenant_id=resumed`, {
      headers: { authorization: `Bearer ${http.admin}`, 'last-event-id': 'x' },
    });
    expect(bad.status).toBe(400);
  });

  it('filters, begins before the first event of a tenant, and redacts', async () => {
    const low = await http.key(['newborn'], 'events:read');
    await using client = await Client.open('event_type=alert.*', { key: low });
    await using whole = await Client.open('', { key: low });
    await emit('newborn', 1);
    await emit('newborn', 1, { event_type: 'alert.raised' });
    await emit('newborn', 1, { event_type: 'alert.raised', is_sensitive: true });
    await until(() => client.frames.length === 1 && whole.frames.some(({ data }) => data.redacted === true));
    expect(client.frames[0]!.data).toMatchObject({ event_type: 'alert.raised' });
    expect(whole.frames[0]!.data.event_type).toBe('system.genesis');
  });

  // Otherwise the stream would send each record of a read, which is itself a read, and so on in every window.
  it('has what a search finds, from its beginning and live', async () => {
    await emit('sought', 2, { metadata: { note: 'wrong password' } });
    await emit('sought', 2);
    await using client = await Client.open(
      'tenant_id=sought&sequence_from=0&q=nowhere%20OR%20(pass*%20-type:system.*)',
    );
    await until(() => client.frames.length === 2);
    await emit('sought', 70);
    await emit('sought', 1, { metadata: { note: 'PASSWORD changed' } });
    await until(() => client.frames.length === 3);
    expect(sequences(client).slice(0, 2)).toEqual([1, 2]);
    expect(client.frames[2]!.data.metadata).toEqual({ note: 'PASSWORD changed' });
    const refused = await fetch(`${http.url}/v1/audit/events/stream?tenant_id=sought&q=%22`, {
      headers: { authorization: `Bearer ${http.admin}` },
    });
    expect(refused.status).toBe(400);
  });

  it('is noted as a read once, and does not feed on it', async () => {
    await emit('quiet', 1);
    await using client = await Client.open('tenant_id=quiet&sequence_from=0');
    await until(() => client.frames.some((frame) => frame.data.event_type === 'audit.read'));
    const count = client.frames.length;
    await until(() => client.comments > 5);
    expect(client.frames.length).toBe(count);
  });

  it('ends when its key is revoked', async () => {
    const { key, id } = await http.service.keys.create({
      name: 'short',
      scopes: ['events:read'],
      tenants: ['live'],
    });
    await using client = await Client.open('', { key });
    await http.service.keys.revoke(id);
    await until(() => client.ended);
  });

  // The replica that has the stream looked the key up at each heartbeat, and its cache answered for five seconds more.
  it.each(['revoked_at = clock_timestamp()', 'expires_at = clock_timestamp()'])(
    'ends when another replica sets %s of its key, and streams of other keys go on',
    async (change) => {
      const make = () =>
        http.service.keys.create({ name: 'short', scopes: ['events:read'], tenants: ['live'] });
      const [ending, staying] = [await make(), await make()];
      await using ended = await Client.open('', { key: ending.key });
      await using open = await Client.open('', { key: staying.key });
      await http.tamper(`update audit_api_keys set ${change} where id = '${ending.id}'`);
      await until(() => ended.ended);
      await emit('live', 1);
      await until(() => open.frames.length > 0);
      expect(open.ended).toBe(false);
    },
  );

  it('is bounded in number', async () => {
    await using _a = await Client.open('tenant_id=live');
    await using _b = await Client.open('tenant_id=live');
    await using _c = await Client.open('tenant_id=live');
    const answer = await http.get('/v1/audit/events/stream?tenant_id=live');
    expect([answer.status, answer.json.code]).toEqual([503, 'TOO_MANY_STREAMS']);
  });

  it('is bounded for each key, so that one key leaves some to the others', () => {
    const streams = new Streams(3, 2);
    const open = (key: string) => streams.open(new ServerResponse(new IncomingMessage(new Socket())), key);
    open('a');
    open('a');
    expect(() => open('a')).toThrow(expect.objectContaining({ code: 'TOO_MANY_STREAMS' }));
    open('b');
    expect(() => open('b')).toThrow(expect.objectContaining({ code: 'TOO_MANY_STREAMS' }));
  });

  it('disconnects a client that reads nothing', async () => {
    const note = 'x'.repeat(100_000);
    const accepted = once(http.server.app.server, 'connection') as Promise<Socket[]>;
    const socket = connect({ port: Number(new URL(http.url).port), host: '127.0.0.1' });
    await once(socket, 'connect');
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(
      `GET /v1/audit/events/stream?tenant_id=slow HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${http.admin}\r\n\r\n`,
    );
    const [atServer] = await accepted;
    await until(() => atServer!.bytesWritten > 0);
    for (let at = 0; at < 5; at++) await emit('slow', 40, { context: { note } });
    await until(() => atServer!.destroyed);
    // A paused socket does not notice that the other end is gone.
    socket.resume();
    await until(() => socket.closed);
  });

  it('ends when the server closes', async () => {
    // With an hour for draining: a close that ended by force would outlast the test's own time-out.
    const silent = { logger: false, auditReads: false } as const;
    const second = await serveHttp(http.service, { port: 0, ...silent, drainMs: 3_600_000 });
    await using client = await Client.open('tenant_id=live', { url: second.url });
    await second.close();
    await until(() => client.ended);
  });

  // This test comes last, because it closes the service of all tests.
  it('ends when the service closes under it', async () => {
    await using client = await Client.open('tenant_id=live');
    const closed = http.service.close();
    await until(() => client.ended);
    await closed;
    expect((await fetch(`${http.url}/health`)).status).toBe(503);
  });
});
