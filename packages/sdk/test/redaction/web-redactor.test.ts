import { expect, test } from 'vitest';
import { WebRedactor } from '../../src/redaction/web-redactor.ts';
import { WireRedactor } from '../../src/redaction/wire-redactor.ts';
import { framed, harmless, names, secrets } from './corpus.ts';

test.each([{ hmacKey: 'k' }, { hmacKey: new Uint8Array([1, 2, 3]) }, 'mask', 'remove'] as const)(
  'gives the same text as the redactor of Node.js: %o',
  async (censor) => {
    const web = new WebRedactor({ censor });
    const node = new WireRedactor({ censor });
    for (const value of [...Object.values(secrets), ...framed, ...harmless, ...names]) {
      const text = JSON.stringify({
        context: { value, password: value, both: `${String(value)} ${String(value)}` },
      });
      expect(await web.redact(text)).toBe(node.redact(text));
    }
  },
);
