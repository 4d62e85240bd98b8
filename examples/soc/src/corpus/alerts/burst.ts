import type { CorpusAlert } from '../corpus.ts';
import { wazuh } from '../forms.ts';
import { alertOf, at } from './alert-of.ts';

/** Forty failed logins within a second: what a burst looks like. */
export const burst: readonly CorpusAlert[] = Array.from({ length: 40 }, (_, number) =>
  alertOf(
    'attack',
    `burst-${number + 1}`,
    'wazuh',
    wazuh({
      ruleId: '5710',
      level: 7,
      description: 'sshd: attempt to login using a non-existent user',
      groups: ['sshd'],
      techniques: ['T1110'],
      tactics: ['Credential Access'],
      time: at('10:40:00'),
      agent: [`edge-${number + 1}`, `10.7.0.${number + 1}`],
      log: `sshd: Failed password for invalid user test${number} from 192.0.2.${100 + number}`,
      data: { srcip: `192.0.2.${100 + number}`, dstuser: `test${number}` },
    }),
    'globex',
  ),
);
