import { aiContext, checkShape, type Violation } from '@tallystick/event';
import { expect, test } from 'vitest';
import { buildLlmContext } from '../../src/index.ts';

test('every member has the name that the taxonomy declares', () => {
  const context = buildLlmContext({
    provider: 'anthropic',
    modelId: 'm',
    modelTier: '1',
    systemPromptHash: 'h',
    userContentHash: 'h',
    promptTemplateId: 't',
    promptTemplateVersion: '2',
    inputTokens: 1,
    outputTokens: 2,
    cacheReadTokens: 3,
    cacheWriteTokens: 4,
    costUsd: 0.1,
    latencyMs: 5,
    rawResponseHash: 'h',
    extendedThinkingUsed: false,
    toolUseSchema: 's',
  });
  const known = Object.keys(aiContext.fields).filter((name) => name.startsWith('llm_'));
  expect(Object.keys(context).sort()).toEqual(known.sort());
  const found: Violation[] = [];
  checkShape(context, aiContext, [], found);
  expect(found).toEqual([]);
  expect(buildLlmContext({ provider: 'p' })).toEqual({ llm_provider: 'p' });
});
