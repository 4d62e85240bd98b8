import type { LanguageModelV4 } from '@ai-sdk/provider';
import { type ModelTier, modelTiers } from '../platform/reasoning.ts';
import type { CatalogedModel, ModelCatalog, ModelPrice } from './model-catalog.ts';
import { offlineModel } from './offline-model.ts';

/** What the offline models would cost if they were hosted ones, so that budgets can be tried. */
const offlinePrice: ModelPrice = { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 };

/**
 * The models that are used without a key: two independent offline ones for each tier.
 *
 * @param wrap replaces a model, for example by one that fails on purpose
 */
export function offlineCatalog(
  wrap: (model: LanguageModelV4) => LanguageModelV4 = (model) => model,
): ModelCatalog {
  const of = (provider: string, name: string, extendedThinking = false): CatalogedModel => ({
    provider,
    modelId: `rules-${name}`,
    model: wrap(offlineModel(provider, `rules-${name}`)),
    price: offlinePrice,
    extendedThinking,
  });
  const tier = (name: string, extendedThinking = false) => ({
    primary: of('offline', name, extendedThinking),
    fallback: of('offline-standby', name, extendedThinking),
  });
  return { '0': tier('fast'), '1': tier('default'), '1+': tier('thinking', true), '2': tier('batch') };
}

/** Where a provider is, and with which key. */
export interface ProviderAccess {
  /** @defaultValue the address of the provider */
  readonly baseURL?: string;
  /** @defaultValue `ANTHROPIC_API_KEY` or `OPENAI_API_KEY` of the environment */
  readonly apiKey?: string;
}

export type HostedProvider = 'anthropic' | 'openai';

/** Which model of which provider a tier uses, and its price in US dollars per million tokens. */
export interface HostedChoice {
  readonly provider: HostedProvider;
  readonly modelId: string;
  readonly price: ModelPrice;
}

/** For each tier, the models in the order in which they are tried. */
export type HostedChoices = Readonly<
  Record<ModelTier, { readonly primary: HostedChoice; readonly fallback: HostedChoice }>
>;

/** A catalogue of models of Anthropic and OpenAI, called through the AI SDK's packages for them. */
export async function hostedCatalog(
  choices: HostedChoices,
  access: { readonly [P in HostedProvider]?: ProviderAccess | undefined } = {},
): Promise<ModelCatalog> {
  // A platform with offline models does not load them.
  const [{ createAnthropic }, { createOpenAI }] = await Promise.all([
    import('@ai-sdk/anthropic'),
    import('@ai-sdk/openai'),
  ]);
  const providers = { anthropic: createAnthropic(access.anthropic), openai: createOpenAI(access.openai) };
  const of = ({ provider, modelId, price }: HostedChoice, extendedThinking: boolean): CatalogedModel => ({
    ...{ provider, modelId, price, extendedThinking },
    model: providers[provider](modelId),
  });
  const tiers = modelTiers.map((tier) => {
    const { primary, fallback } = choices[tier];
    const extendedThinking = tier === '1+';
    return [tier, { primary: of(primary, extendedThinking), fallback: of(fallback, extendedThinking) }];
  });
  return Object.fromEntries(tiers) as ModelCatalog;
}
