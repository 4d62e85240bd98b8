import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OpenBrackets } from '../../../src/ingest/http/open-brackets.ts';

it('is a stack of the kinds of brackets', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('push brace', 'push bracket', 'pop'), { maxLength: 400 }),
      (steps) => {
        const expected: boolean[] = [];
        const open = new OpenBrackets();
        for (const step of steps) {
          if (step === 'pop') {
            if (expected.length > 0) expect(open.pop()).toBe(expected.pop());
          } else {
            expected.push(step === 'push brace');
            open.push(step === 'push brace');
          }
          expect(open.depth).toBe(expected.length);
        }
      },
    ),
  );
});
