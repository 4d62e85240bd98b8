import { expect, test } from 'vitest';
import { Findings, maxFindings } from '../src/report.ts';

test('findings beyond the first thousand are counted and not kept', () => {
  const findings = new Findings();
  for (let at = 0; at < 5_000; at++) findings.add({ code: 'CHAIN_LINK_BROKEN', sequence_number: at });
  expect(findings.count).toBe(5_000);
  expect(findings.list).toHaveLength(maxFindings);
  expect(findings.list.at(-1)?.sequence_number).toBe(999);
});
