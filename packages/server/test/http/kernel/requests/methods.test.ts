import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../../harness.ts';

let http: Harness;
beforeAll(async () => {
  http = await Harness.open();
});
afterAll(() => http[Symbol.asyncDispose]());

/** Sends a request with any method, and the path exactly as it is given. */
function ask(method: string, path: string): Promise<[status: number | undefined, allow: string | undefined]> {
  const { hostname, port } = new URL(http.url);
  const headers = { authorization: `Bearer ${http.admin}` };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, (answer) => {
      answer.resume();
      resolve([answer.statusCode, answer.headers.allow]);
    });
    sent.once('error', reject);
    sent.end();
  });
}

describe('a method that a path does not accept', () => {
  // QUERY, which Node's parser knows, was once answered with 400.
  it.each(['QUERY', 'PROPFIND', 'TRACE', 'OPTIONS', 'HEAD', 'PUT'])(
    '%s is answered with 405',
    async (method) => {
      expect(await ask(method, '/v1/audit/events')).toEqual([405, 'POST, GET']);
      expect(await ask(method, '/health')).toEqual([405, 'GET']);
      expect(await ask(method, '/nowhere')).toEqual([404, undefined]);
    },
  );

  it('gets the methods of exactly its path, also where a path with a parameter would match', async () => {
    expect(await ask('PUT', '/v1/dead-letters/purge')).toEqual([405, 'POST']);
    expect(await ask('GET', '/v1/dead-letters/purge')).toEqual([405, 'POST']);
    expect(await ask('DELETE', '/v1/dead-letters/purge')).toEqual([405, 'POST']);
    expect(await ask('PUT', '/v1/audit/events/stream')).toEqual([405, 'GET']);
    expect(await ask('PUT', '/v1/dead-letters/x')).toEqual([405, 'GET, DELETE']);
  });

  it('gets them for every way to write the path', async () => {
    expect(await ask('PUT', '/%76%31/audit/events?x=1')).toEqual([405, 'POST, GET']);
    expect(await ask('PUT', '/health#part')).toEqual([405, 'GET']);
    expect(await ask('PUT', 'http://any.example/health')).toEqual([405, 'GET']);
    expect(await ask('GET', '/%68ealth')).toEqual([200, undefined]);
    expect(await ask('GET', '/%ff')).toEqual([400, undefined]);
  });
});
