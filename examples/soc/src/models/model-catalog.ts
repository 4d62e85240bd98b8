import type { LanguageModelV4 } from '@ai-sdk/provider';
import type { ModelTier } from '../platform/reasoning.ts';

/** US dollars per million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** A model that a tier can use. */
export interface CatalogedModel {
  /** Who runs it: `anthropic`, `openai`, `offline` … Each provider has one circuit breaker. */
  readonly provider: string;
  readonly modelId: string;
  readonly model: LanguageModelV4;
  readonly price: ModelPrice;
  /** The model is asked to reason at length before it answers. */
  readonly extendedThinking: boolean;
}

/** The models of each tier, in the order in which they are tried. */
export type ModelCatalog = Readonly<
  Record<ModelTier, { readonly primary: CatalogedModel; readonly fallback: CatalogedModel }>
>;
