import type { Result } from './result.ts';
import { inMemory } from './soc/in-memory.ts';
import { memoryOverEmbedded, overEmbedded } from './soc/over-embedded.ts';
import { overKafka } from './soc/over-kafka.ts';
import { whileAway } from './soc/while-away.ts';

/**
 * The reference platform of `examples/soc` with offline models: what recording costs it, and whether its memory stays the same. Each alert
 * is handled until it is closed or waits for people. It takes a quarter of an hour.
 */
export async function run(): Promise<Result[]> {
  return [
    ...(await inMemory()),
    ...(await whileAway()),
    ...(await overEmbedded()),
    ...(await overKafka()),
    ...(await memoryOverEmbedded()),
  ];
}
