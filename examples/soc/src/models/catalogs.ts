import type { LanguageModelV4 } from '@ai-sdk/provider';
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

/** Models of Anthropic and OpenAI. */
const hosted = {
  anthropic: { package: '@ai-sdk/anthropic', factory: 'anthropic' },
  openai: { package: '@ai-sdk/openai', factory: 'openai' },
} as const;

type HostedProvider = keyof typeof hosted;

/** Which model of which provider a tier uses, and its price in US dollars per million tokens. */
export interface HostedChoice {
  readonly provider: HostedProvider;
  readonly modelId: string;
  readonly price: ModelPrice;
}

/**
 * A catalogue of hosted models. Their provider packages are not installed with the example, because it runs without them.
 *
 * @param choices for each tier, the models in the order in which they are tried
 * @throws {Error} if the package of a provider is not installed. It reads its API key from the environment by itself.
 */
export async function hostedCatalog(
  choices: Readonly<Record<keyof ModelCatalog, { primary: HostedChoice; fallback: HostedChoice }>>,
): Promise<ModelCatalog> {
  const load = async ({ provider, modelId, price }: HostedChoice, extendedThinking: boolean) => ({
    provider,
    modelId,
    price,
    extendedThinking,
    model: await loadModel(provider, modelId),
  });
  const tiers = await Promise.all(
    (['0', '1', '1+', '2'] as const).map(async (tier) => {
      const { primary, fallback } = choices[tier];
      const [first, second] = await Promise.all([
        load(primary, tier === '1+'),
        load(fallback, tier === '1+'),
      ]);
      return [tier, { primary: first, fallback: second }] as const;
    }),
  );
  return Object.fromEntries(tiers) as unknown as ModelCatalog;
}

async function loadModel(provider: HostedProvider, modelId: string): Promise<LanguageModelV4> {
  const { package: name, factory } = hosted[provider];
  let loaded: Record<string, (modelId: string) => LanguageModelV4>;
  try {
    loaded = (await import(name)) as typeof loaded;
  } catch (error) {
    throw new Error(`models of ${provider} need the package ${name}: npm install ${name}`, { cause: error });
  }
  return loaded[factory]!(modelId);
}
