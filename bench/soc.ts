import type { Result } from './result.ts';
import { inMemory } from './soc/in-memory.ts';
import { memoryOverEmbedded, overEmbedded } from './soc/over-embedded.ts';
import { overKafka } from './soc/over-kafka.ts';
import { whileAway } from './soc/while-away.ts';

export interface SocOptions {
  /** How many alerts the platform handles while its memory is watched, a multiple of 4. @defaultValue 20000 */
  readonly alerts?: number | undefined;
}

/**
 * The reference platform of `examples/soc` with offline models: what recording costs it, and whether its memory stays the same. Each alert
 * is handled until it is closed or waits for people. It takes a quarter of an hour, and with `--alerts 400` some minutes.
 */
export async function run({ alerts = 20_000 }: SocOptions): Promise<Result[]> {
  return [
    ...(await inMemory()),
    ...(await whileAway()),
    ...(await overEmbedded()),
    ...(await overKafka()),
    ...(await memoryOverEmbedded(alerts)),
  ];
}
