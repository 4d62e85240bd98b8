import { expect, test } from 'vitest';
import { passedToClient, passedToServer } from '../../../src/mcp/http/passed-headers.ts';

test('headers of a connection, and those that it names, do not pass', () => {
  const headers = {
    connection: 'close, X-Hop',
    'x-hop': '1',
    te: 'trailers',
    'transfer-encoding': 'chunked',
    'x-end': '2',
  };
  expect(passedToServer(headers)).toEqual({ 'x-end': '2' });
  expect(passedToClient(headers)).toEqual({ 'x-end': '2' });
});

test('credentials and the place in a stream pass to the server', () => {
  const headers = {
    authorization: 'Bearer t',
    'x-api-key': 'k',
    'last-event-id': 'e',
    'mcp-protocol-version': '2025-06-18',
  };
  expect(passedToServer({ ...headers, origin: 'http://a', cookie: 'c', 'sec-fetch-mode': 'cors' })).toEqual(
    headers,
  );
});
