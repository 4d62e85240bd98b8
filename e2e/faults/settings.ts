/** What a run of the fault campaign is asked to do. */
export interface Settings {
  readonly rounds: number;
  readonly seed: number;
  readonly startRound: number;
  /** Names of the faults to choose from; all faults if undefined. */
  readonly only: readonly string[] | undefined;
  readonly brokers: number;
  /** Faults of a round, which happen at the same time and harm different things. */
  readonly atOnce: 1 | 2;
  /** Replicas at the start. A fault may add and remove some. */
  readonly writers: number;
  /** Events per second, about. */
  readonly rate: number;
  /** Runs the mutant: writers that commit their offsets first, and must therefore lose events. */
  readonly mutant: boolean;
  /** How long the system may take to recover from a fault, ms. */
  readonly recoveryMs: number;
  /** Session timeout of a member of the consumer group, ms. */
  readonly sessionTimeoutMs: number;
  /** Whether the campaign fails on a machine that can't inject every fault. */
  readonly requireAll: boolean;
}
