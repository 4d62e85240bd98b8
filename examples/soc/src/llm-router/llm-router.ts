import type { CatalogedModel, ModelCatalog } from '../models/model-catalog.ts';
import type { Documents } from '../platform/documents.ts';
import type { Lineage } from '../platform/lineage.ts';
import type { ModelAnswer, ModelCall, ModelRouter } from '../platform/reasoning.ts';
import { Recorder, type SocEvent } from '../platform/recorder.ts';
import type { ServiceParts } from '../platform/service.ts';
import { platformTenant } from '../platform/tenants.ts';
import { apart, independently, separateChanges } from '../platform/unit-of-work.ts';
import { type BreakerState, CircuitBreaker } from './circuit-breaker.ts';
import { callProvider, type ProviderAnswer } from './provider-call.ts';
import { type Standing, StandingStates } from './standing-states.ts';
import { chooseTier, type TierChoice } from './tier.ts';
import { type Usage, UsageMeter } from './usage.ts';

const noUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };

export interface LlmRouterParts extends ServiceParts {
  readonly catalog: ModelCatalog;
  /** What tenants used. @defaultValue in memory */
  readonly usage?: Documents<Usage> | undefined;
  /** What must be known after a restart. @defaultValue in memory */
  readonly standing?: Documents<Standing> | undefined;
}

/** Chooses the tier of each model call, watches budgets, and fails over from one provider to another. */
export class LlmRouter implements ModelRouter {
  readonly name = 'llm-router';
  readonly #parts: ServiceParts;
  readonly #catalog: ModelCatalog;
  readonly #usage: UsageMeter;
  readonly #recorder: Recorder;
  /** One per provider, shared by all tenants. */
  readonly #breakers = new Map<string, CircuitBreaker>();
  /** Open breakers, whether the last call found no provider that answers, and the spending limits that were reached. */
  readonly #standing: StandingStates;

  constructor(parts: LlmRouterParts) {
    this.#parts = parts;
    this.#catalog = parts.catalog;
    this.#usage = new UsageMeter(parts.clock, parts.usage);
    this.#standing = new StandingStates(parts.units, parts.standing);
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
      await this.#enterDegradation(call.lineage, choice, attempts);
      return { ...base, status: 'failed', reason: 'no provider answered', latencyMs, attempts };
    }
    const { model, answer } = answered;
    await this.#exitDegradation(call.lineage, model);
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
      await this.#recordLimitOnce('hard', lineage, spent);
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
      if (model === fallback)
        await this.#recordFailover(call.lineage, primary, fallback, attempts.at(-1)!.error!);
      const breaker = await this.#breakerOf(model.provider);
      if (!breaker.admit()) {
        attempts.push({ provider: model.provider, error: 'the circuit breaker is open' });
        continue;
      }
      const timeoutMs = call.timeBudgetMs ?? this.#parts.settings.router.callTimeoutMs;
      let answer: ProviderAnswer;
      try {
        answer = await callProvider(model, call, timeoutMs, this.#parts.clock);
      } catch (error) {
        const reason = reasonOf(error);
        attempts.push({ provider: model.provider, error: reason });
        await this.#changeBreaker(model.provider, 'failed', call.lineage, reason);
        continue;
      }
      attempts.push({ provider: model.provider });
      await this.#changeBreaker(model.provider, 'succeeded', call.lineage, 'a probe succeeded');
      return { attempts, answered: { model, answer } };
    }
    return { attempts, answered: undefined };
  }

  async #breakerOf(provider: string): Promise<CircuitBreaker> {
    const known = this.#breakers.get(provider);
    if (known !== undefined) return known;
    const openedAt = (await this.#standing.since(breakerOf(provider))) ?? undefined;
    const failures = await this.#standing.failures(failuresOf(provider));
    // Another call may have made it in the meantime.
    const made = this.#breakers.get(provider);
    if (made !== undefined) return made;
    const { clock, settings } = this.#parts;
    const breaker = new CircuitBreaker(settings.router.breaker, clock, { openedAt, failures });
    this.#breakers.set(provider, breaker);
    return breaker;
  }

  /** Reports the end of a call to the breaker of its provider. It is recorded if that opens or closes it. */
  async #changeBreaker(
    provider: string,
    ended: 'failed' | 'succeeded',
    lineage: Lineage,
    reason: string,
  ): Promise<void> {
    const breaker = await this.#breakerOf(provider);
    const before = breaker.state;
    const failuresBefore = breaker.failures;
    const isChanged = breaker[ended]();
    // A provider that works costs no write.
    const count = async () => {
      if (breaker.failures === failuresBefore) return;
      await this.#standing.countFailures(failuresOf(provider), breaker.failures);
    };
    const since = ended === 'failed' ? this.#parts.clock.now() : null;
    const after = ended === 'failed' ? 'open' : 'closed';
    const record = (own: Lineage) => this.#recordBreaker(own, provider, { before, after }, reason);
    try {
      // A crash between the two must not leave a closed breaker with failures that a success has ended.
      if (ended === 'succeeded') await count();
      if (isChanged) await this.#standing.change(breakerOf(provider), () => since, lineage, record);
      if (ended === 'failed') await count();
    } catch (error) {
      // A change that could not be recorded does not take effect: the stored state applies.
      this.#breakers.delete(provider);
      throw error;
    }
  }

  #health(): Record<string, string> {
    return Object.fromEntries([...this.#breakers].map(([provider, breaker]) => [provider, breaker.state]));
  }

  async #spend(lineage: Lineage, costUsd: number): Promise<void> {
    await apart(() => this.#usage.spend(lineage.tenantId, costUsd));
    const spent = await this.#usage.spentThisMonth(lineage.tenantId);
    if (spent >= this.#parts.settings.router.spendPerMonthUsd.soft)
      await this.#recordLimitOnce('soft', lineage, spent);
  }

  /** Recorded independently of the caller's work: the other provider is called even if that work fails. */
  async #recordFailover(
    lineage: Lineage,
    primary: CatalogedModel,
    fallback: CatalogedModel,
    error: string,
  ): Promise<void> {
    const event: SocEvent<'routing.provider_failover'> = {
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
    };
    await independently(this.#parts.units ?? separateChanges, lineage, async (own) => {
      this.#recorder.emit('routing.provider_failover', own, event);
    });
  }

  #recordBreaker(
    lineage: Lineage,
    provider: string,
    { before, after }: { readonly before: BreakerState; readonly after: BreakerState },
    reason: string,
  ): void {
    const isOpen = after === 'open';
    const { failures, openMs } = this.#parts.settings.router.breaker;
    this.#recorder.emit(isOpen ? 'circuit_breaker.opened' : 'circuit_breaker.closed', lineage, {
      severity: isOpen ? 'warning' : 'info',
      targetType: 'provider',
      targetId: provider,
      context: { provider_health: this.#health(), failure_threshold: failures, open_ms: openMs },
      decision: { decision_type: 'circuit_breaker', reasoning_summary: `${provider}: ${reason}` },
      outcome: { outcome_status: 'success', state_before: before, state_after: after },
    });
  }

  /** Once per month, also after a restart. */
  async #recordLimitOnce(limit: 'soft' | 'hard', lineage: Lineage, spent: number): Promise<void> {
    const { tenantId } = lineage;
    const month = this.#usage.month();
    const limits = this.#parts.settings.router.spendPerMonthUsd;
    const record = (own: Lineage) =>
      void this.#recorder.emit(`spend.${limit}_limit`, own, {
        severity: limit === 'hard' ? 'critical' : 'warning',
        targetType: 'tenant',
        targetId: tenantId,
        context: { month, spent_usd: round(spent), limit_usd: limits[limit] },
        decision: {
          decision_type: 'spend_guard',
          classification: limit,
          reasoning_summary:
            limit === 'hard'
              ? 'the limit is reached; calls are refused until the next month'
              : 'the warning limit is reached; calls continue',
        },
        outcome: {
          outcome_status: limit === 'hard' ? 'blocked' : 'success',
          cost_incurred_usd: round(spent),
        },
      });
    const owner = { tenantId, name: `${limit} limit of ${month}` };
    await this.#standing.change(owner, (known) => known ?? this.#parts.clock.now(), lineage, record);
  }

  async #enterDegradation(
    lineage: Lineage,
    { tier }: TierChoice,
    attempts: ModelAnswer['attempts'],
  ): Promise<void> {
    const record = (own: Lineage) =>
      void this.#recorder.emit('degradation.entered', own, {
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
    await this.#standing.change(degradation, (known) => known ?? this.#parts.clock.now(), lineage, record);
  }

  async #exitDegradation(lineage: Lineage, { provider }: CatalogedModel): Promise<void> {
    const record = (own: Lineage) =>
      void this.#recorder.emit('degradation.exited', own, {
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
    await this.#standing.change(degradation, () => null, lineage, record);
  }
}

/** Whether no provider answers. All tenants share the providers. */
const degradation = { tenantId: platformTenant, name: 'degradation' };

/** A provider, or a proxy in front of it, writes the messages of its errors. */
const maxReasonCharacters = 500;

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const characters = Array.from(message.slice(0, 2 * maxReasonCharacters));
  return characters.slice(0, maxReasonCharacters).join('') || 'an error without a message';
}

function breakerOf(provider: string) {
  return { tenantId: platformTenant, name: `breaker of ${provider}` };
}

function failuresOf(provider: string) {
  return { tenantId: platformTenant, name: `failures of ${provider}` };
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
