import { type HostedChoice, type HostedProvider, hostedCatalog, offlineCatalog } from './catalogs.ts';
import type { ModelCatalog } from './model-catalog.ts';

/** The models that a platform can be started with. */
export const catalogNames = ['offline', 'anthropic', 'openai'] as const;
export type CatalogName = (typeof catalogNames)[number];

/** The variable of the environment with the key of a provider. */
const keyOf: Readonly<Record<HostedProvider, string>> = {
  anthropic: 'ANTHROPIC_API_KEY',
  openai: 'OPENAI_API_KEY',
};

/** The list prices of the providers at the end of 2025. The costs in the records are computed from them, and no bill is. */
const hosted: Readonly<
  Record<HostedProvider, { readonly fast: HostedChoice; readonly default: HostedChoice }>
> = {
  anthropic: {
    fast: {
      ...{ provider: 'anthropic', modelId: 'claude-haiku-4-5' },
      price: { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
    },
    default: {
      ...{ provider: 'anthropic', modelId: 'claude-sonnet-4-5' },
      price: { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
    },
  },
  openai: {
    fast: {
      ...{ provider: 'openai', modelId: 'gpt-5-mini' },
      price: { input: 0.25, output: 2, cacheRead: 0.025, cacheWrite: 0 },
    },
    default: {
      ...{ provider: 'openai', modelId: 'gpt-5' },
      price: { input: 1.25, output: 10, cacheRead: 0.125, cacheWrite: 0 },
    },
  },
};

/** What is missing to use these models, and the next step; `undefined` if nothing is. */
export function missingForModels(name: CatalogName, env: NodeJS.ProcessEnv): string | undefined {
  if (name === 'offline' || env[keyOf[name]]) return undefined;
  return `The models of ${name} need a key: set ${keyOf[name]} in the environment, or leave --models out for offline models.`;
}

/**
 * The models of a name. Those of a provider are called with the key in the environment, at the provider's address or at `ANTHROPIC_BASE_URL`
 * or `OPENAI_BASE_URL`. If a provider does not answer, the offline models stand in for it, and the records say so.
 */
export async function namedCatalog(name: CatalogName): Promise<ModelCatalog> {
  const offline = offlineCatalog();
  if (name === 'offline') return offline;
  const { fast, default: usual } = hosted[name];
  const [quick, large] = [
    { primary: fast, fallback: fast },
    { primary: usual, fallback: usual },
  ];
  const online = await hostedCatalog({ '0': quick, '1': large, '1+': large, '2': quick });
  const tier = (of: keyof ModelCatalog) => ({ primary: online[of].primary, fallback: offline[of].fallback });
  return { '0': tier('0'), '1': tier('1'), '1+': tier('1+'), '2': tier('2') };
}
