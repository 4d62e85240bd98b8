import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Redactor, redactionVersion } from '../../src/redaction/index.ts';
import { readCorpus } from './corpus.ts';

const redactor = new Redactor({ names: [], allowNames: [], patterns: [], paths: [] });

const outcomes = readCorpus().map((each) => {
  const redacted = JSON.stringify(redactor.redact({ context: each.given }).context);
  // The second half of a secret in the result is a leak too.
  const leaks = each.secrets.some((secret) => {
    const half = JSON.stringify(secret.slice(secret.length >> 1)).slice(1, -1);
    return redacted.includes(half);
  });
  return { ...each, redacted, leaks, isExpected: redacted === JSON.stringify(each.expected) };
});
const withSecrets = outcomes.filter(({ secrets }) => secrets.length > 0);
const harmless = outcomes.filter(({ secrets }) => secrets.length === 0);

const guide = readFileSync(join(import.meta.dirname, '../../../../docs/sdk/redaction.md'), 'utf8');
const stated = (pattern: RegExp) => Number(pattern.exec(guide)?.[1]);

test('the corpus has at least 300 cases', () => {
  expect(outcomes.length).toBeGreaterThanOrEqual(300);
  expect(outcomes.length).toBe(stated(/(\d+) cases/));
});

test('no more secrets leak than the guide says', () => {
  const leaks = withSecrets.filter((each) => each.leaks).map(({ line }) => line);
  const rate = `${leaks.length} of ${withSecrets.length}`;
  expect(guide, `these leak (${rate}):\n${leaks.join('\n')}`).toContain(`Leaks: ${rate}`);
});

test('no more harmless values are changed than the guide says', () => {
  const changed = harmless.filter(({ isExpected }) => !isExpected).map(({ line }) => line);
  const rate = `${changed.length} of ${harmless.length}`;
  expect(guide, `these change (${rate}):\n${changed.join('\n')}`).toContain(`False positives: ${rate}`);
});

test('of the text around a secret, no more is changed than the guide says', () => {
  const changed = withSecrets
    .filter(({ isExpected, leaks }) => !isExpected && !leaks)
    .map(({ line }) => line);
  const rate = `${changed.length} of ${withSecrets.length}`;
  expect(guide, `these differ (${rate}):\n${changed.join('\n')}`).toContain(`More than the secret: ${rate}`);
});

test('a change of what counts as a secret comes with a new version of the rules', () => {
  const results = createHash('sha256')
    .update(outcomes.map(({ redacted }) => redacted).join('\n'))
    .digest('hex');
  // The service records the version. If the results change or cases are added, increase the version and pin the new hash.
  expect([redactionVersion, results.slice(0, 16)]).toEqual([2, 'bc7406d5d63b3fce']);
});
