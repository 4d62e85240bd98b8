import type { CorpusAlert } from '../corpus.ts';
import { wazuh } from '../forms.ts';
import { alertOf, at } from './alert-of.ts';

/** Strings that try to break what shows or stores them. */
const hostileTexts = {
  'terminal-escapes': '\u001b[2J\u001b]0;owned\u0007\u009b31m',
  markup: '<img src=x onerror=alert(1)><script>alert(2)</script>',
  sql: "'; DROP TABLE audit_records; --",
  'path-traversal': '../../../../etc/passwd',
  bidi: '\u202etxt.exe\u2066\u2069',
  nul: 'a\u0000b',
} as const;

export const hostile: readonly CorpusAlert[] = Object.entries(hostileTexts).map(([name, text], number) =>
  alertOf(
    'hostile',
    `hostile-${name}`,
    'wazuh',
    wazuh({
      ruleId: '100900',
      level: 4,
      description: `Login of ${text}`,
      groups: ['authentication'],
      time: at(`10:30:0${number}`),
      agent: [`host-${text}`, '10.8.0.1'],
      log: `user ${text} logged in`,
      data: { dstuser: text, srcip: '192.0.2.90' },
    }),
  ),
);
