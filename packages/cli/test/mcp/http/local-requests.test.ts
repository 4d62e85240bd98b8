import { expect, test } from 'vitest';
import { listenAddress } from '../../../src/mcp/http/local-requests.ts';

test('only an address of the loopback interface can be listened on', () => {
  expect(listenAddress('3333')).toEqual({ host: '127.0.0.1', port: 3333 });
  expect(listenAddress('localhost:0')).toEqual({ host: '127.0.0.1', port: 0 });
  expect(listenAddress('[::1]:80')).toEqual({ host: '::1', port: 80 });
  for (const wrong of ['0.0.0.0:80', '192.168.0.1:80', 'example.com:80', '65536', '', ':80', '80x', '-1'])
    expect(listenAddress(wrong)).toBeUndefined();
});
