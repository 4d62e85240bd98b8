import { ask } from '../shared-server.ts';

/** The Kafka broker that all test files of a run share. Each test uses its own names for topics and groups. */
export interface SharedKafka {
  readonly bootstrap: string[];
  readonly clusterId: string;
}

/** The first call of a run starts the broker. A test file that calls this is named `*.kafka.test.ts`. */
export function sharedKafka(): Promise<SharedKafka> {
  return ask('sharedKafkaSocket');
}
