import { randomUUID } from 'node:crypto';
import { Consumer, MessagesStreamModes, stringDeserializers } from '@platformatic/kafka';
import { auditTopics } from '../../src/ingest/kafka/topics/plan.ts';
import { createTopics } from '../../src/ingest/kafka/topics/topics.ts';

/** Creates a gateway topic for one test file. */
export async function gatewayTopic(bootstrapBrokers: string[]): Promise<string> {
  const gateway = `gateway-${randomUUID().slice(0, 8)}`;
  const [, plan] = auditTopics({ gateway });
  await createTopics({ bootstrapBrokers }, [plan!]);
  return gateway;
}

interface ReadMessage {
  readonly key: string;
  readonly value: string;
  readonly headers: Record<string, string>;
}

/** Reads the messages of a principal until there are enough. Those of one partition are in order. */
export async function readTopic(
  bootstrapBrokers: string[],
  topic: string,
  principal: string,
  isEnough: (messages: readonly ReadMessage[]) => boolean,
): Promise<ReadMessage[]> {
  const consumer = new Consumer({
    clientId: 'reader',
    groupId: randomUUID(),
    bootstrapBrokers,
    deserializers: stringDeserializers,
  });
  const mode = MessagesStreamModes.EARLIEST;
  const stream = await consumer.consume({ topics: [topic], mode, maxWaitTime: 100 });
  const messages: ReadMessage[] = [];
  for await (const { key, value, headers: all } of stream) {
    const headers = Object.fromEntries(all);
    if (headers['tallystick-principal'] === principal) messages.push({ key, value, headers });
    if (isEnough(messages)) break;
  }
  await consumer.close(true);
  return messages;
}
