import type { CatalogedModel, ModelCatalog } from '../models/model-catalog.ts';
import type { Documents } from '../platform/documents.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { ModelAnswer, ModelCall, ModelRouter } from '../platform/reasoning.ts';
import { Recorder } from '../platform/recorder.ts';
import type { ServiceParts } from '../platform/service.ts';
import { apart } from '../platform/unit-of-work.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { callProvider, type ProviderAnswer } from './provider-call.ts';
import { chooseTier, type TierChoice } from './tier.ts';
import { type Usage, UsageMeter } from './usage.ts';

const noUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

/** Chooses the tier of each model call, watches budgets, and fails over from one provider to another. */
export class LlmRouter implements ModelRouter {
  readonly name = 'llm-router';
  readonly #parts: ServiceParts;
  readonly #catalog: ModelCatalog;
  readonly #usage: UsageMeter;
  readonly #recorder: Recorder;
  /** One per provider, shared by all tenants. */
  readonly #breakers = new Map<string, CircuitBreaker>();
  /** The spending limits that were recorded: tenant, month and limit. Each is recorded once. */
  readonly #recordedLimits = new Set<string>();
  /** Whether the last call found no provider that answers. */
  #degraded = false;

  /** @param parts `usage` keeps what tenants used; in memory by default */
  constructor(
    parts: ServiceParts & { readonly catalog: ModelCatalog; readonly usage?: Documents<Usage> | undefined },
  ) {
    this.#parts = parts;
    this.#catalog = parts.catalog;
    this.#usage = new UsageMeter(parts.clock, parts.usage);
    this.#recorder = new Recorder(this.name, parts.ids, parts.audit);
  }

  spentUsd(tenantId: string): Promise<number> {
    return this.#usage.spentThisMonth(tenantId);
  }

  async complete(call: ModelCall): Promise<ModelAnswer> {
    const { router } = this.#parts.settings;
    const startedAt = this.#parts.clock.now();
    const choice = chooseTier(call, router);
    const base = {
      tier: choice.tier,
      tierReason: choice.reason,
      usage: noUsage,
      costUsd: 0,
      extendedThinking: false,
    };
    const refusal = await this.#refusal(call);
    if (refusal !== undefined) {
      return { ...base, status: 'refused', reason: refusal, latencyMs: 0, attempts: [] };
    }
    // What was used stays used if the work that asks fails.
    await apart(() => this.#usage.countCall(call.lineage.tenantId));
    const { attempts, answered } = await this.#tryProviders(call, choice);
    const latencyMs = this.#parts.clock.now() - startedAt;
    if (answered === undefined) {
      this.#enterDegradation(call.lineage, choice, attempts);
      return { ...base, status: 'failed', reason: 'no provider answered', latencyMs, attempts };
    }
    const { model, answer } = answered;
    this.#exitDegradation(call.lineage, model);
    const costUsd = costOf(model, answer);
    await this.#spend(call.lineage, costUsd);
    return {
      ...base,
      status: 'answered',
      text: answer.text,
      provider: model.provider,
      modelId: model.modelId,
      usage: answer.usage,
      costUsd,
      latencyMs,
      extendedThinking: model.extendedThinking,
      attempts,
    };
  }

  async #refusal({ lineage, tenantTier }: ModelCall): Promise<string | undefined> {
    const { quotasPerHour, spendPerMonthUsd } = this.#parts.settings.router;
    const spent = await this.#usage.spentThisMonth(lineage.tenantId);
    if (spent >= spendPerMonthUsd.hard) {
      this.#recordLimitOnce('hard', lineage, spent);
      return `SPEND_HARD_LIMIT: ${spendPerMonthUsd.hard} US dollars of this month are spent`;
    }
    const quota = quotasPerHour[tenantTier];
    if (await this.#usage.reserveCall(lineage.tenantId, quota)) return undefined;
    return `QUOTA_EXCEEDED: ${quota} calls in this hour`;
  }

  async #tryProviders(call: ModelCall, { tier }: TierChoice) {
    const { primary, fallback } = this.#catalog[tier];
    const attempts: { provider: string; error?: string }[] = [];
    for (const model of [primary, fallback]) {
      if (model === fallback) this.#recordFailover(call.lineage, primary, fallback, attempts.at(-1)!.error!);
      const breaker = this.#breakerOf(model.provider);
      if (!breaker.admit()) {
        attempts.push({ provider: model.provider, error: 'the circuit breaker is open' });
        continue;
      }
      try {
        const timeoutMs = call.timeBudgetMs ?? this.#parts.settings.router.callTimeoutMs;
        const answer = await callProvider(model.model, call, timeoutMs, this.#parts.clock);
        if (breaker.succeeded())
          this.#recordBreaker('circuit_breaker.closed', call.lineage, model.provider, 'a probe succeeded');
        attempts.push({ provider: model.provider });
        return { attempts, answered: { model, answer } };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (breaker.failed())
          this.#recordBreaker('circuit_breaker.opened', call.lineage, model.provider, reason);
        attempts.push({ provider: model.provider, error: reason });
      }
    }
    return { attempts, answered: undefined };
  }

  #breakerOf(provider: string): CircuitBreaker {
    const known = this.#breakers.get(provider);
    if (known !== undefined) return known;
    const breaker = new CircuitBreaker(this.#parts.settings.router.breaker, this.#parts.clock);
    this.#breakers.set(provider, breaker);
    return breaker;
  }

  #health(): Record<string, string> {
    return Object.fromEntries([...this.#breakers].map(([provider, breaker]) => [provider, breaker.state]));
  }

  async #spend(lineage: Lineage, costUsd: number): Promise<void> {
    await apart(() => this.#usage.spend(lineage.tenantId, costUsd));
    const spent = await this.#usage.spentThisMonth(lineage.tenantId);
    if (spent >= this.#parts.settings.router.spendPerMonthUsd.soft)
      this.#recordLimitOnce('soft', lineage, spent);
  }

  #recordFailover(lineage: Lineage, primary: CatalogedModel, fallback: CatalogedModel, error: string): void {
    this.#recorder.emitFinal('routing.provider_failover', lineage, {
      severity: 'warning',
      targetType: 'provider',
      targetId: fallback.provider,
      context: {
        provider_health: this.#health(),
        primary_provider: primary.provider,
        primary_model_id: primary.modelId,
        fallback_provider: fallback.provider,
        fallback_model_id: fallback.modelId,
      },
      decision: {
        decision_type: 'failover',
        classification: fallback.provider,
        reasoning_summary: `${primary.provider} did not answer: ${error}`,
        alternatives_considered: [primary.provider],
      },
      outcome: {
        outcome_status: 'success',
        action_taken: 'call the fallback',
        action_target: fallback.provider,
      },
    });
  }

  #recordBreaker(
    type: 'circuit_breaker.opened' | 'circuit_breaker.closed',
    lineage: Lineage,
    provider: string,
    reason: string,
  ): void {
    const isOpen = type === 'circuit_breaker.opened';
    const { failures, openMs } = this.#parts.settings.router.breaker;
    this.#recorder.emitFinal(type, lineage, {
      severity: isOpen ? 'warning' : 'info',
      targetType: 'provider',
      targetId: provider,
      context: { provider_health: this.#health(), failure_threshold: failures, open_ms: openMs },
      decision: { decision_type: 'circuit_breaker', reasoning_summary: `${provider}: ${reason}` },
      outcome: {
        outcome_status: 'success',
        state_before: isOpen ? 'closed' : 'open',
        state_after: isOpen ? 'open' : 'closed',
      },
    });
  }

  #recordLimitOnce(limit: 'soft' | 'hard', lineage: Lineage, spent: number): void {
    const key = JSON.stringify([lineage.tenantId, this.#usage.month(), limit]);
    if (this.#recordedLimits.has(key)) return;
    this.#recordedLimits.add(key);
    const limits = this.#parts.settings.router.spendPerMonthUsd;
    this.#recorder.emitFinal(`spend.${limit}_limit`, lineage, {
      severity: limit === 'hard' ? 'critical' : 'warning',
      targetType: 'tenant',
      targetId: lineage.tenantId,
      context: { month: this.#usage.month(), spent_usd: round(spent), limit_usd: limits[limit] },
      decision: {
        decision_type: 'spend_guard',
        classification: limit,
        reasoning_summary:
          limit === 'hard'
            ? 'the limit is reached; calls are refused until the next month'
            : 'the warning limit is reached; calls go on',
      },
      outcome: { outcome_status: limit === 'hard' ? 'blocked' : 'success', cost_incurred_usd: round(spent) },
    });
  }

  #enterDegradation(lineage: Lineage, { tier }: TierChoice, attempts: ModelAnswer['attempts']): void {
    if (this.#degraded) return;
    this.#degraded = true;
    this.#recorder.emitFinal('degradation.entered', lineage, {
      severity: 'critical',
      targetType: 'tier',
      targetId: tier,
      context: { degradation_level: 'no_model', provider_health: this.#health() },
      decision: {
        decision_type: 'degradation',
        classification: 'no_model',
        reasoning_summary: attempts.map(({ provider, error }) => `${provider}: ${error}`).join('; '),
      },
      outcome: { outcome_status: 'failure', state_before: 'normal', state_after: 'no_model' },
    });
  }

  #exitDegradation(lineage: Lineage, { provider }: CatalogedModel): void {
    if (!this.#degraded) return;
    this.#degraded = false;
    this.#recorder.emitFinal('degradation.exited', lineage, {
      targetType: 'provider',
      targetId: provider,
      context: { degradation_level: 'normal', provider_health: this.#health() },
      decision: {
        decision_type: 'degradation',
        classification: 'normal',
        reasoning_summary: `${provider} answers again`,
      },
      outcome: { outcome_status: 'success', state_before: 'no_model', state_after: 'normal' },
    });
  }
}

function costOf({ price }: CatalogedModel, { usage }: ProviderAnswer): number {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
  const uncached = inputTokens - cacheReadTokens - cacheWriteTokens;
  return round(
    (uncached * price.input +
      outputTokens * price.output +
      cacheReadTokens * price.cacheRead +
      cacheWriteTokens * price.cacheWrite) /
      1_000_000,
  );
}

/** To a millionth of a dollar. */
function round(usd: number): number {
  return Math.round(usd * 1_000_000) / 1_000_000;
}
