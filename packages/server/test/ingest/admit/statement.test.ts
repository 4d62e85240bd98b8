import { afterEach, describe, expect, it, vi } from 'vitest';
import { toDeadLetter } from '../../../src/chain/dead-letters.ts';
import { isStatement, readStatement } from '../../../src/ingest/admit/statement.ts';

afterEach(() => vi.restoreAllMocks());

const million = 1_000_000;

// The value of a Kafka message may have as many levels as the body of a request.
describe('a statement that would fill the heap', () => {
  it.each([
    ['nested lists', `{"delivery":${'['.repeat(million)}${']'.repeat(million)}}`],
    ['many objects', `{"delivery":{"gaps":[${'{},'.repeat(600_000)}{}]}}`],
  ])('is refused before it is parsed: %s', (_, text) => {
    const raw = Buffer.from(text);
    const parse = vi.spyOn(JSON, 'parse');
    expect(readStatement(raw)).toMatchObject({ refusal: { code: 'DELIVERY_INVALID', pointer: '/delivery' } });
    expect(isStatement(raw)).toBe(false);
    const letter = toDeadLetter(raw, { source: 'test' }, [{ code: 'X', pointer: '', message: 'x' }]);
    expect(letter.tenantId).toBeUndefined();
    expect(parse).not.toHaveBeenCalled();
  });
});

it('a refused event that is somewhat too deep still says which tenant it claims', () => {
  const raw = JSON.stringify({ tenant_id: 'acme', x: JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) });
  const letter = toDeadLetter(raw, { source: 'test' }, [{ code: 'X', pointer: '', message: 'x' }]);
  expect(letter.tenantId).toBe('acme');
});
