import type { Exposure } from '../platform/exposure.ts';
import type { AssetRule, Settings } from '../platform/settings.ts';

export interface Score {
  /** 0 to 10, with one decimal. */
  readonly score: number;
  readonly severity: Exposure['severity'];
  readonly rule: AssetRule;
}

/** Score = exploitability × weight of the worst consequence × 10. */
export function scoreOf(asset: string, exploitability: number, settings: Settings['ctem']): Score {
  const rule = settings.assets.find(({ name }) => matches(asset, name)) ?? {
    name: '*',
    consequence: 'data' as const,
    owner: 'it-security',
  };
  const score = Math.round(exploitability * settings.consequenceWeights[rule.consequence] * 100) / 10;
  const { critical, high, medium } = settings.severityFromScore;
  const severity =
    score >= critical ? 'critical' : score >= high ? 'high' : score >= medium ? 'medium' : 'low';
  return { score, severity, rule };
}

/** Whether `name` has the form of `pattern`, in which `*` stands for any text. */
function matches(name: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  const text = name.toLowerCase();
  if (rest.length === 0) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  const last = rest.pop()!;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - at >= last.length && text.endsWith(last);
}
