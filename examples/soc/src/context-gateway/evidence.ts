import { injectionSigns } from '../injection/injection-signs.ts';
import { maxSearchedLength } from '../injection/readable-variants.ts';
import { estimateTokens } from '../models/offline-model.ts';
import type { InjectionSign } from '../platform/alert.ts';
import type { ReasoningRequest } from '../platform/reasoning.ts';

type Piece = ReasoningRequest['evidence'][number];

type InjectionClass = 'benign' | 'suspicious' | 'malicious';

/** Evidence with what the gateway thinks of it. */
export interface JudgedPiece extends Piece {
  readonly class: InjectionClass;
  readonly signs: readonly InjectionSign[];
}

/**
 * Looks for signs of prompt injection in each piece. Signs are independent hints: two of weight 0.6 weigh 1 − 0.4 × 0.4 = 0.84 together.
 * Text beyond what is searched is cut off: the model must not read what nobody looked at.
 */
export function judgePieces(pieces: readonly Piece[], maliciousFromWeight: number): JudgedPiece[] {
  return pieces.map(({ ref, text }) => {
    const piece = { ref, text: text.slice(0, maxSearchedLength) };
    const signs = injectionSigns([{ where: piece.ref, text: piece.text }]);
    const weight = 1 - signs.reduce((rest, sign) => rest * (1 - sign.weight), 1);
    const isMalicious = signs.length > 0 && weight >= maliciousFromWeight - 1e-9;
    return { ...piece, signs, class: isMalicious ? 'malicious' : signs.length > 0 ? 'suspicious' : 'benign' };
  });
}

/** What the model gets instead of a suspicious text: what can be said about it without repeating a sentence of it. */
export function summarise({ text, signs }: JudgedPiece): string {
  const words = text.split(/\s+/).length;
  const patterns = [...new Set(signs.map(({ pattern }) => pattern))].join(', ');
  return `(Text of ${words} words withheld: it contains phrases that address a model: ${patterns}.)`;
}

/** Takes the pieces in their order. One that exceeds the rest of the budget is left out; smaller ones after it may still fit. */
export function fitBudget<T extends Piece>(
  pieces: readonly T[],
  budgetTokens: number,
): { readonly used: T[]; readonly left: T[]; readonly tokens: number } {
  const used: T[] = [];
  const left: T[] = [];
  let tokens = 0;
  for (const piece of pieces) {
    const cost = estimateTokens(piece.text) + estimateTokens(piece.ref) + 10;
    if (tokens + cost > budgetTokens) left.push(piece);
    else {
      used.push(piece);
      tokens += cost;
    }
  }
  return { used, left, tokens };
}

/** Marks a piece as data. Text that imitates the marks is defused. */
export function wrapEvidence({ ref, text }: Piece): string {
  const defuse = (value: string) => value.replace(/<(?=\/?evidence)/gi, '&lt;');
  return `<evidence ref="${defuse(ref).replaceAll('"', '&quot;')}">\n${defuse(text)}\n</evidence>`;
}
