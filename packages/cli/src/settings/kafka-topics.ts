import type { Command } from 'commander';
import type { ProcessContext } from '../process-context.ts';

/** Names of the service's topics, for every command that uses them. */
export interface TopicOptions {
  readonly kafkaTopic?: string;
  readonly kafkaGatewayTopic?: string;
}

export function addTopicOptions(command: Command): Command {
  return command
    .option(
      '--kafka-topic <name>',
      'topic that applications write events to; or TALLYSTICK_KAFKA_TOPIC (default: audit.events)',
    )
    .option(
      '--kafka-gateway-topic <name>',
      'topic for events that arrive over HTTP; or TALLYSTICK_KAFKA_GATEWAY_TOPIC (default: audit.gateway)',
    );
}

/** The names from the options, then from the environment, then the defaults. */
export function topicNames(
  options: TopicOptions,
  { env }: Pick<ProcessContext, 'env'>,
): { readonly events: string; readonly gateway: string } {
  return {
    events: options.kafkaTopic || env.TALLYSTICK_KAFKA_TOPIC || 'audit.events',
    gateway: options.kafkaGatewayTopic || env.TALLYSTICK_KAFKA_GATEWAY_TOPIC || 'audit.gateway',
  };
}
