import { backoffMs } from '../timing/backoff.ts';

/** Tenants that a follower has to visit, each once however often it was woken. */
export class TenantQueue {
  /** In the order of their first wake. Owned by this object. */
  readonly #waiting = new Set<string>();
  readonly #visited = new Set<string>();
  /** Tenants whose last visit failed. */
  readonly #failures = new Map<string, { attempts: number; retryAt: number }>();

  get size(): number {
    return this.#waiting.size;
  }

  add(tenantIds: Iterable<string>): void {
    for (const tenantId of tenantIds) this.#waiting.add(tenantId);
  }

  /** The next tenant that may be visited now. No other caller gets it before {@link done}. */
  take(now: number): string | undefined {
    for (const tenantId of this.#waiting) {
      if (this.#visited.has(tenantId)) continue;
      if ((this.#failures.get(tenantId)?.retryAt ?? 0) > now) continue;
      this.#waiting.delete(tenantId);
      this.#visited.add(tenantId);
      return tenantId;
    }
    return undefined;
  }

  done(tenantId: string): void {
    this.#visited.delete(tenantId);
  }

  attemptsOf(tenantId: string): number {
    return this.#failures.get(tenantId)?.attempts ?? 0;
  }

  succeeded(tenantId: string): void {
    this.#failures.delete(tenantId);
  }

  /** @param counts whether the failure is the records' own */
  failed(tenantId: string, now: number, counts: boolean): void {
    const attempts = this.attemptsOf(tenantId);
    const pauseMs = backoffMs(attempts, { baseMs: 100, maxMs: counts ? 1_000 : 5_000 });
    this.#failures.set(tenantId, { attempts: attempts + 1, retryAt: now + pauseMs });
    this.#waiting.add(tenantId);
  }

  clear(): void {
    this.#waiting.clear();
    this.#failures.clear();
  }
}
