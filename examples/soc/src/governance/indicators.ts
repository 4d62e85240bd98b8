/** What a threat-intelligence source knows about an indicator of compromise. */
export interface IndicatorReport {
  readonly reputation: 'malicious' | 'suspicious' | 'unknown' | 'benign';
  readonly sources: readonly string[];
}

/** Looks up indicators: addresses, domains and hashes. */
export interface ThreatIntelligence {
  lookUp(indicator: { readonly kind: string; readonly value: string }): Promise<IndicatorReport>;
}

/** A fixed list, for runs without a network. Addresses are those that RFC 5737 and RFC 3849 reserve for examples. */
export class ListedIndicators implements ThreatIntelligence {
  readonly #malicious: ReadonlySet<string>;

  constructor(
    malicious: readonly string[] = ['198.51.100.7', '203.0.113.9', '192.0.2.44', 'c2.evil.example'],
  ) {
    this.#malicious = new Set(malicious);
  }

  async lookUp({ value }: { readonly value: string }): Promise<IndicatorReport> {
    return this.#malicious.has(value)
      ? { reputation: 'malicious', sources: ['list'] }
      : { reputation: 'unknown', sources: [] };
  }
}
