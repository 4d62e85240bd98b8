/** The models of Anthropic and OpenAI, through the AI SDK's packages, against a server that speaks their documented APIs. */
import { createHash } from 'node:crypto';
import type { AuditEvent } from '@tallystick/sdk';
import { until } from '@tallystick/testing';
import { afterEach, expect, test } from 'vitest';
import { ContextGateway } from '../../src/context-gateway/context-gateway.ts';
import { LlmRouter } from '../../src/llm-router/llm-router.ts';
import { type HostedChoice, hostedCatalog } from '../../src/models/catalogs.ts';
import { MemoryArtifacts } from '../../src/platform/artifacts.ts';
import type { ReasoningRequest } from '../../src/platform/reasoning.ts';
import { newLineage, testParts } from '../platform-parts.ts';
import { anthropicMessage, openaiResponse, ProviderServer } from './provider-server.ts';

const keys = { anthropic: 'sk-ant-test-8f2a91', openai: 'sk-oai-test-77c1d0' };
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const claude: HostedChoice = {
  provider: 'anthropic',
  modelId: 'claude-sonnet-4-5',
  price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
};
const gpt: HostedChoice = {
  provider: 'openai',
  modelId: 'gpt-5',
  price: { input: 2, output: 8, cacheRead: 0.5, cacheWrite: 0 },
};

async function start() {
  const server = new ProviderServer();
  const baseURL = await server.start();
  closers.push(() => server.stop());
  const tier = { primary: claude, fallback: gpt };
  const catalog = await hostedCatalog(
    { '0': tier, '1': tier, '1+': tier, '2': tier },
    { anthropic: { baseURL, apiKey: keys.anthropic }, openai: { baseURL, apiKey: keys.openai } },
  );
  const parts = testParts();
  const router = new LlmRouter({ ...parts, catalog });
  const artifacts = new MemoryArtifacts();
  const gateway = new ContextGateway({ ...parts, router, artifacts });
  const called = () =>
    parts.trail.events.filter(({ event_type }) => event_type === 'routing.tier_selected').at(-1)!;
  return { ...parts, server, router, gateway, artifacts, called };
}

const request: ReasoningRequest = {
  lineage: { ...newLineage(), alertId: 'alert-1', investigationId: 'inv-1' },
  task: 'alert.classify',
  severity: 'medium',
  tenantTier: 'premium',
  instructions: 'Judge this alert.',
  evidence: [{ ref: 'alert-1', text: 'powershell -enc on web-1' }],
  needsReasoning: false,
};
const answer = JSON.stringify({
  verdict: 'true_positive',
  confidence: 0.91,
  summary: 'An encoded command ran.',
  techniques: ['T1059.001'],
  recommended_actions: ['isolate_host'],
});
const sha256 = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
const contextOf = ({ context }: AuditEvent) => context as Record<string, unknown>;

test('a call of Anthropic is recorded with its tokens, its cost and the hashes of what was sent and answered', async () => {
  const { server, gateway, router, called, trail, artifacts } = await start();
  server.answers['/v1/messages'] = anthropicMessage(answer, {
    ...{ input_tokens: 1_000, output_tokens: 200 },
    ...{ cache_read_input_tokens: 4_000, cache_creation_input_tokens: 500 },
  });
  const reasoning = await gateway.reason(request);
  expect(reasoning).toMatchObject({ status: 'answered', verdict: 'true_positive', confidence: 0.91 });

  expect(server.requests).toHaveLength(1);
  const [{ headers, body }] = server.requests as [(typeof server.requests)[0]];
  expect(headers).toMatchObject({ 'x-api-key': keys.anthropic, 'anthropic-version': '2023-06-01' });
  expect(body).toMatchObject({ model: 'claude-sonnet-4-5', max_tokens: expect.any(Number) });
  expect(body).not.toHaveProperty('thinking');
  const [system] = body.system as { text: string }[];
  const [message] = body.messages as { role: string; content: { text: string }[] }[];
  expect(message!.role).toBe('user');
  expect(message!.content[0]!.text).toContain('powershell -enc on web-1');

  const cost = (1_000 * 3 + 200 * 15 + 4_000 * 0.3 + 500 * 3.75) / 1e6;
  expect(contextOf(called())).toMatchObject({
    ...{ llm_provider: 'anthropic', llm_model_id: 'claude-sonnet-4-5', llm_model_tier: '0' },
    llm_system_prompt_hash: sha256(system!.text),
    llm_user_content_hash: sha256(message!.content[0]!.text),
    llm_raw_response_hash: sha256(answer),
    ...{ llm_input_tokens: 5_500, llm_output_tokens: 200 },
    ...{ llm_cache_read_tokens: 4_000, llm_cache_write_tokens: 500 },
    llm_cost_usd: cost,
    llm_extended_thinking_used: false,
    provider_attempts: [{ provider: 'anthropic' }],
  });
  expect(called()).toMatchObject({
    decision: { classification: 'true_positive', confidence: 0.91 },
    outcome: { outcome_status: 'success', cost_incurred_usd: cost },
  });
  expect(await router.spentUsd('acme')).toBeCloseTo(cost, 9);
  const stored = artifacts.artifacts.find(({ type }) => type === 'raw_response');
  expect(stored).toMatchObject({ text: answer, auditId: called().audit_id });
  expect(JSON.stringify(trail.events)).not.toContain(keys.anthropic);
});

test('if Anthropic is overloaded, OpenAI answers: one request each, and both are in the record', async () => {
  const { server, gateway, called, trail } = await start();
  server.answers['/v1/messages'] = {
    status: 529,
    body: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  };
  server.answers['/v1/responses'] = openaiResponse(answer, {
    ...{ input_tokens: 1_200, output_tokens: 150, total_tokens: 1_350 },
    input_tokens_details: { cached_tokens: 200 },
    output_tokens_details: { reasoning_tokens: 0 },
  });
  await gateway.reason(request);
  expect(server.requests.map(({ path }) => path)).toEqual(['/v1/messages', '/v1/responses']);
  const [, { headers, body }] = server.requests as [unknown, (typeof server.requests)[0]];
  expect(headers.authorization).toBe(`Bearer ${keys.openai}`);
  expect(body).toMatchObject({ model: 'gpt-5' });
  const input = body.input as { role: string; content: string | { text: string }[] }[];
  const user = input.find(({ role }) => role === 'user')!.content as { text: string }[];
  expect(contextOf(called())).toMatchObject({
    ...{ llm_provider: 'openai', llm_model_id: 'gpt-5' },
    llm_user_content_hash: sha256(user[0]!.text),
    llm_raw_response_hash: sha256(answer),
    ...{ llm_input_tokens: 1_200, llm_output_tokens: 150, llm_cache_read_tokens: 200 },
    llm_cost_usd: (1_000 * 2 + 200 * 0.5 + 150 * 8) / 1e6,
    provider_attempts: [{ provider: 'anthropic', error: 'Overloaded' }, { provider: 'openai' }],
  });
  const failover = trail.events.find(({ event_type }) => event_type === 'routing.provider_failover')!;
  expect(failover).toMatchObject({
    target_id: 'openai',
    decision: { reasoning_summary: 'anthropic did not answer: Overloaded' },
  });
});

test('if both refuse, the failure is recorded with their reasons, bounded, without keys and without cost', async () => {
  const { server, gateway, router, called, trail } = await start();
  server.answers['/v1/messages'] = {
    status: 401,
    body: { type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } },
  };
  const long = { error: { message: 'quota '.repeat(50_000), type: 'insufficient_quota', code: 'x' } };
  server.answers['/v1/responses'] = { status: 429, body: long };
  expect(await gateway.reason(request)).toMatchObject({ status: 'failed', costUsd: 0 });
  expect(server.requests).toHaveLength(2);
  const { provider_attempts, ...context } = contextOf(called());
  const [anthropic, openai] = provider_attempts as { provider: string; error: string }[];
  expect(anthropic).toEqual({ provider: 'anthropic', error: 'invalid x-api-key' });
  expect(openai!.error).toHaveLength(500);
  expect(context).toMatchObject({ llm_input_tokens: 0, llm_output_tokens: 0, llm_cost_usd: 0 });
  expect(context).not.toHaveProperty('llm_raw_response_hash');
  expect(called()).toMatchObject({ outcome: { outcome_status: 'failure', error_code: 'NO_PROVIDER' } });
  expect(await router.spentUsd('acme')).toBe(0);
  expect(trail.events.map(({ event_type }) => event_type)).toContain('degradation.entered');
  for (const key of Object.values(keys)) expect(JSON.stringify(trail.events)).not.toContain(key);
});

test('a provider that does not answer in time is given up, and its request is ended', async () => {
  const { server, gateway, called, clock, settings } = await start();
  server.answers['/v1/messages'] = 'hang';
  server.answers['/v1/responses'] = openaiResponse(answer, { input_tokens: 10, output_tokens: 10 });
  const reasoning = gateway.reason(request);
  await until(() => server.requests.length === 1);
  clock.advance(settings.router.callTimeoutMs);
  expect(await reasoning).toMatchObject({ status: 'answered' });
  await until(() => server.abandoned === 1);
  expect(contextOf(called()).provider_attempts).toEqual([
    { provider: 'anthropic', error: 'no answer within 20000 ms' },
    { provider: 'openai' },
  ]);
});

test('an answer that is no verdict is a failure that was paid', async () => {
  const { server, gateway, called } = await start();
  const text = 'I am sorry, I cannot help with that.';
  server.answers['/v1/messages'] = anthropicMessage(text, { input_tokens: 1_000, output_tokens: 20 });
  expect(await gateway.reason(request)).toMatchObject({ status: 'failed' });
  expect(contextOf(called())).toMatchObject({
    llm_raw_response_hash: sha256(text),
    llm_cost_usd: (1_000 * 3 + 20 * 15) / 1e6,
  });
  expect(called().outcome).toMatchObject({ error_code: 'OUTPUT_INVALID' });
});

// The record said that extended thinking was used, and no provider was asked for it.
test('the tier with extended thinking asks both providers for it', async () => {
  const { server, gateway, called } = await start();
  server.answers['/v1/messages'] = { status: 500, body: { type: 'error', error: { message: 'x' } } };
  server.answers['/v1/responses'] = openaiResponse(answer, { input_tokens: 10, output_tokens: 10 });
  await gateway.reason({ ...request, severity: 'critical', previousConfidence: 0.4 });
  const [anthropic, openai] = server.requests.map(({ body }) => body);
  expect(anthropic).toMatchObject({ thinking: { type: expect.stringMatching(/enabled|adaptive/) } });
  expect(openai).toMatchObject({ reasoning: { effort: 'high' } });
  expect(contextOf(called())).toMatchObject({ llm_model_tier: '1+', llm_extended_thinking_used: true });
});
