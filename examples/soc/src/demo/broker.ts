import { spawnSync } from 'node:child_process';
import { startKafka } from '@tallystick/testing/kafka';
import type { Narrator } from 'tallystick/demo/story-parts';

/** A broker of the demo. */
export interface DemoBroker {
  readonly brokers: readonly string[];
  /** Stops a broker that the demo started. */
  stop(): Promise<void>;
}

/** The brokers that are named, or one that is started for the demo. */
export async function brokerOf(
  named: readonly string[] | undefined,
  narrator: Narrator,
): Promise<DemoBroker> {
  if (named !== undefined) return { brokers: named, stop: async () => {} };
  await narrator.remark('Apache Kafka starts. The first time, Maven downloads it (about 90 MB).');
  const kafka = await startKafka();
  return { brokers: kafka.bootstrap, stop: () => kafka.stop() };
}

/** What this machine lacks to start a broker, and what a person can do; `undefined` if nothing is missing. */
export function missingForKafka(): string | undefined {
  const missing = ['java', 'mvn'].filter((command) => !isInstalled(command));
  if (missing.length === 0) return undefined;
  return [
    `--kafka starts Apache Kafka, which needs Java 17 or later and Maven. Not in the PATH: ${missing.join(', ')}`,
    'Install them, for example with: apt-get install default-jre-headless maven',
    'Or name a broker that runs already: npm run demo -- --brokers localhost:9092',
    'Or leave --kafka out: then all services run in one process.',
  ].join('\n');
}

function isInstalled(command: string): boolean {
  return spawnSync(command, ['-version'], { stdio: 'ignore' }).error === undefined;
}
