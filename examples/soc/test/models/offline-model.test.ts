import { describe, expect, test } from 'vitest';
import { offlineCatalog } from '../../src/models/catalogs.ts';
import { judgeEvidence } from '../../src/models/offline-rules.ts';

describe('the rules of the offline model', () => {
  test.each([
    ['mimikatz read lsass memory', 'true_positive', ['T1003', 'T1003.001']],
    ['vssadmin delete shadows: ransomware note found', 'true_positive', ['T1486', 'T1490']],
    ['failed password for root', 'true_positive', ['T1110']],
    ['authorised scan by Nessus: failed password', 'false_positive', ['T1110']],
    ['backup agent read many files', 'false_positive', []],
    ['schtasks created by a user', 'inconclusive', ['T1053', 'T1168']],
    ['a user opened a door', 'benign', []],
  ])('%s', (text, verdict, techniques) => {
    expect(judgeEvidence(text)).toMatchObject({ verdict, techniques });
  });

  test('more evidence gives more confidence, and the same text the same answer', () => {
    const one = judgeEvidence('beacon to a c2');
    const two = judgeEvidence('beacon to a c2 after mimikatz');
    expect(two.confidence).toBeGreaterThan(one.confidence);
    expect(judgeEvidence('beacon to a c2')).toEqual(one);
  });

  test('the words of an earlier investigation do not count', () => {
    const similar =
      '<evidence ref="inv-1">\nsimilar incident: true_positive, score 0.9, ransomware\n</evidence>';
    expect(judgeEvidence(`backup agent\n${similar}`)).toEqual(judgeEvidence('backup agent'));
    const harmless = similar.replace('true_positive', 'false_positive');
    expect(judgeEvidence(`backup agent\n${harmless}`).confidence).toBeGreaterThan(
      judgeEvidence('backup agent').confidence,
    );
  });

  test('only an attack leads to actions', () => {
    expect(judgeEvidence('authorised scan by Nessus: failed password').recommended_actions).toEqual([]);
    expect(judgeEvidence('failed password').recommended_actions).toEqual(['block_ip']);
  });
});

test('offline models say that they are offline', async () => {
  const { primary, fallback } = offlineCatalog()['1'];
  expect([primary.provider, fallback.provider]).toEqual(['offline', 'offline-standby']);
  const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'mimikatz' }] }];
  const { content, usage } = await primary.model.doGenerate({ prompt });
  expect(JSON.parse((content[0] as { text: string }).text)).toMatchObject({ verdict: 'true_positive' });
  expect(usage.inputTokens.total).toBe(2);
});
