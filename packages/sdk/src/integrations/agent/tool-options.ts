import type { GatedAction } from '../../gate/options.ts';

/** What an application can say about a tool call, besides its name and its arguments. */
export type ToolCallDetails = Partial<
  Pick<
    GatedAction,
    | 'tenantId'
    | 'actorType'
    | 'actorId'
    | 'onBehalfOf'
    | 'target'
    | 'hidden'
    | 'reason'
    | 'idempotencyKey'
    | 'keepResult'
    | 'failOpen'
    | 'investigationId'
  >
>;

/** A tool call. The arguments come from the model: they have the tool's schema and are otherwise unchecked. */
export interface DescribedCall {
  readonly toolName: string;
  readonly toolCallId: string | undefined;
  readonly arguments: unknown;
}

/** Options that the gated tools of every library have. */
export interface ToolOptions {
  /**
   * What is acted on, which arguments are hidden, and more. If it throws, the tool does not run.
   *
   * @defaultValue nothing
   */
  readonly describe?: ((call: DescribedCall) => ToolCallDetails) | undefined;
}
