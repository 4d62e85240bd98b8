import { ask } from '../shared-server.ts';

/** The one broker of a test run. Each test makes topics and groups with names of its own on it. */
export interface SharedKafka {
  readonly bootstrap: string[];
  readonly clusterId: string;
}

/** Starts the broker if this is the run's first call: a test file that calls it is named `*.kafka.test.ts`. */
export function sharedKafka(): Promise<SharedKafka> {
  return ask('sharedKafkaSocket');
}
