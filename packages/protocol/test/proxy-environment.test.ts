import { expect, test } from 'vitest';
import { proxyEnvironment } from '../src/index.ts';

const loopback = 'localhost,127.0.0.1,[::1],::1';

test.each([
  [{}, undefined],
  [{ NO_PROXY: 'a' }, undefined],
  [{ HTTPS_PROXY: '' }, undefined],
  [{ HTTPS_PROXY: 'http://p:1' }, { HTTPS_PROXY: 'http://p:1', NO_PROXY: loopback }],
  [
    { http_proxy: 'http://l:1', HTTP_PROXY: 'http://u:1', NO_PROXY: 'a,.b' },
    { HTTP_PROXY: 'http://l:1', NO_PROXY: `a,.b,${loopback}` },
  ],
  [
    { HTTP_PROXY: 'http://p:1', https_proxy: 'http://s:1', no_proxy: 'x' },
    { HTTP_PROXY: 'http://p:1', HTTPS_PROXY: 'http://s:1', NO_PROXY: `x,${loopback}` },
  ],
])('%j', (env, expected) => {
  expect(proxyEnvironment(env)).toEqual(expected);
});
