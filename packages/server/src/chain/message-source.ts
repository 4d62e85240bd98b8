/** Where a message of a topic stands, in one text: `kafka:<cluster>/<topic>/<partition>/<offset>`. It is what records name. */
export function messageSource(place: {
  readonly clusterId: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}): string {
  return `kafka:${place.clusterId}/${place.topic}/${place.partition}/${place.offset}`;
}

// Topics and cluster ids hold no slash (Kafka: [A-Za-z0-9._-]).
const message = /^(kafka:[^/]+\/[^/]+)\/\d+\/\d+$/;

/** The topic that a message's source names, whatever its partition; any other source as it is. */
export function withoutPlace(source: string): string {
  return message.exec(source)?.[1] ?? source;
}

/** Where the message lies that a source names; `undefined` for any other source. */
export function placeOf(
  source: string,
): { readonly topic: string; readonly partition: number; readonly offset: number } | undefined {
  if (!message.test(source)) return undefined;
  const [, topic, partition, offset] = source.split('/');
  return { topic: topic!, partition: Number(partition), offset: Number(offset) };
}

/** Whether a source names one message, so that whatever comes from it again is the same arrival. */
export function isMessage(source: string): boolean {
  return message.test(source);
}
