import { expect, test } from 'vitest';
import { isUnencrypted, readHeaderOptions, readServerUrl } from '../../../src/mcp/http/header-options.ts';

test('a header may take its value from the environment, and no error shows a value', () => {
  const env = { TOKEN: 'abc', BAD: 'a\nb' };
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is what the user writes
  expect(readHeaderOptions(['Authorization: Bearer ${TOKEN}', 'X-Tenant:acme'], env)).toEqual({
    authorization: 'Bearer abc',
    'x-tenant': 'acme',
  });
  expect(() => readHeaderOptions(['a: ${NONE}'], env)).toThrow('NONE, which is not set');
  expect(() => readHeaderOptions(['a: ${BAD}'], env)).toThrow(
    'the value of --header a must be printable ASCII',
  );
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: it is what the user writes
  expect(() => readHeaderOptions(['secret'], env)).toThrow('--header must be written as name: value');
  expect(() => readHeaderOptions(['a b: c'], env)).toThrow('--header must be written as name: value');
  expect(() => readHeaderOptions(['Host: x'], env)).toThrow("can't set host");
  expect(() => readHeaderOptions(['Mcp-Session-Id: x'], env)).toThrow("can't set mcp-session-id");
  expect(() => readHeaderOptions(['a: '], env)).toThrow('not empty');
});

test('the address of a server is one of HTTP, without credentials', () => {
  expect(readServerUrl('https://mcp.example.com/mcp?a=1#b').href).toBe('https://mcp.example.com/mcp?a=1');
  expect(() => readServerUrl('mcp.example.com')).toThrow('must be an address');
  expect(() => readServerUrl('file:///etc/passwd')).toThrow('must be an address');
  expect(() => readServerUrl('https://me:pw@mcp.example.com')).toThrow('must not contain a name or password');
});

test('only loopback addresses are safe without encryption', () => {
  for (const safe of ['https://example.com', 'http://localhost:1', 'http://127.0.0.1', 'http://[::1]/mcp'])
    expect(isUnencrypted(new URL(safe))).toBe(false);
  for (const open of ['http://example.com', 'http://10.0.0.1', 'http://localhost.example.com'])
    expect(isUnencrypted(new URL(open))).toBe(true);
});
