import { expect, test } from 'vitest';
import { chooseTier } from '../../src/llm-router/tier.ts';
import type { ModelCall } from '../../src/platform/reasoning.ts';
import { defaultSettings } from '../../src/platform/settings.ts';
import { modelCall } from './calls.ts';

const cases: [string, Partial<ModelCall>, string][] = [
  ['nothing special', {}, '0'],
  ['reasoning', { needsReasoning: true }, '1'],
  [
    'no time, whatever else holds',
    { timeBudgetMs: 2_999, severity: 'critical', needsReasoning: true, previousConfidence: 0.1 },
    '0',
  ],
  ['enough time', { timeBudgetMs: 3_000, needsReasoning: true }, '1'],
  ['critical with reasoning', { severity: 'critical', needsReasoning: true }, '1'],
  ['critical without reasoning', { severity: 'critical' }, '0'],
  ['a large context', { contextTokens: 100_001 }, '1'],
  ['a context at the limit', { contextTokens: 100_000 }, '0'],
  ['low confidence before, high', { severity: 'high', previousConfidence: 0.59 }, '1+'],
  ['low confidence before, medium', { severity: 'medium', previousConfidence: 0.1 }, '0'],
  ['enough confidence before', { severity: 'critical', previousConfidence: 0.6 }, '0'],
  [
    'a large context does not lower 1+',
    { severity: 'high', previousConfidence: 0.2, contextTokens: 200_000 },
    '1+',
  ],
  ['a batch', { task: 'batch.mine', needsReasoning: true }, '2'],
];

test.each(cases)('%s', (_name, change, tier) => {
  expect(chooseTier(modelCall(change), defaultSettings.router).tier).toBe(tier);
});
