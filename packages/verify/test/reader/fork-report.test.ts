import { expect, test } from 'vitest';
import { head3, head5 } from '../../../../spec/vectors/generator/bundle-parts.ts';
import { formatForkReport, readForkReport } from '../../src/index.ts';

const report = {
  kept: head3,
  keptAt: '2026-03-01T12:00:00.000Z',
  shown: head5,
  shownAt: '2026-03-02T12:00:00.000Z',
  server: 'https://audit.example.com',
};

test('a report is read as it was written', () => {
  expect(readForkReport(formatForkReport(report))).toMatchObject({ ...report, relation: 'no_proof' });
});

// They stand beside the verdict, and anyone can write a report.
test.each([
  ['words for the time of the service', { shownAt: '2026-03-02: confirmed by the operator' }],
  ['words for the time of the reader', { keptAt: 'confirmed by the operator' }],
  ['no address', { server: 'confirmed by the operator' }],
])('a report with %s is not one', (_, changes) => {
  expect(readForkReport(formatForkReport({ ...report, ...changes }))).toBeUndefined();
});
