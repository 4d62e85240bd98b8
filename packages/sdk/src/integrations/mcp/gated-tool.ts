import { GateError } from '../../gate/errors.ts';
import type { Gate } from '../../gate/gate.ts';
import { contentDigest } from '../agent/content-digest.ts';
import type { DescribedCall, ToolCallDetails } from '../agent/tool-options.ts';
import { reportTo } from '../report.ts';
import { endOfToolResult, mcpToolAction, notExecutedResult } from './mapping.ts';

/** What is used of the second argument of a tool's handler. Declared here, so that the types of MCP need not be installed. */
export interface ToolRequest {
  readonly signal: AbortSignal;
  readonly requestId: string | number;
  readonly sessionId?: string | undefined;
  /** Who calls, if the server authenticates its clients. */
  readonly authInfo?:
    | {
        readonly clientId: string;
        readonly scopes: readonly string[];
        readonly extra?: Readonly<Record<string, unknown>> | undefined;
      }
    | undefined;
  readonly _meta?: { readonly progressToken?: string | number | undefined } | undefined;
  sendNotification(notification: {
    method: 'notifications/progress';
    params: { progressToken: string | number; progress: number; message: string };
  }): Promise<void>;
}

/** Options of {@link gatedTool}. */
export interface GatedToolOptions<Extra> {
  /** Name of this server, as policies and records know it. */
  readonly server: string;
  /**
   * Who calls, for whom, and further details. Read the caller from `extra.authInfo`, which the server's own authentication has
   * checked. If it throws, the tool does not run.
   *
   * @defaultValue tenant and actor of the gate
   */
  readonly describe?: ((call: DescribedCall & { readonly extra: Extra }) => ToolCallDetails) | undefined;
  /** Called if the client can't be told that a call waits. @defaultValue a process warning, once */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Pause between progress notifications while an approval waits, ms. @defaultValue 10000 */
  readonly progressIntervalMs?: number | undefined;
}

/** A tool's handler: with an input schema it gets the arguments first. */
// biome-ignore lint/suspicious/noExplicitAny: the library infers the arguments from the schema
type Handler = (...parameters: any[]) => any;
type ExtraOf<H extends Handler> = Parameters<H> extends [unknown, infer E] ? E : ToolRequest;

/**
 * Puts the handler of a tool behind a gate, for `McpServer.registerTool`. Arguments were checked against the tool's schema before. A
 * call that is not allowed gives a result with `isError`, so that the model learns why. A result of the handler with `isError` is
 * recorded as a failure; results are digested and not stored.
 *
 * @example
 * server.registerTool('refund', { inputSchema }, gatedTool(gate, 'refund', async ({ order }) => …, { server: 'shop' }));
 */
export function gatedTool<H extends Handler>(
  gate: Gate,
  toolName: string,
  handler: H,
  options: GatedToolOptions<ExtraOf<H>>,
): H {
  const gated = async (...parameters: readonly unknown[]): Promise<unknown> => {
    const extra = parameters.at(-1) as ToolRequest;
    const args = parameters.length > 1 ? parameters[0] : {};
    const waiting = new WaitingNotice(extra, options);
    let begun = false;
    try {
      return await gate.run(
        {
          ...mcpToolAction({ server: options.server, toolName, ...extra }),
          ...options.describe?.({
            toolName,
            toolCallId: undefined,
            arguments: args,
            extra: extra as ExtraOf<H>,
          }),
          arguments: args,
          signal: extra.signal,
          onPending: () => waiting.begin(),
        },
        async (copy, { signal, ended }) => {
          begun = true;
          waiting.end();
          const given = { ...extra, signal };
          const result: unknown = await (parameters.length > 1 ? handler(copy, given) : handler(given));
          const { isError, resultType } = Object(result) as { isError?: unknown; resultType?: unknown };
          ended({ ...endOfToolResult(isError === true, resultType), resultDigest: contentDigest(result) });
          return result;
        },
      );
    } catch (error) {
      // What the handler throws becomes the library's own tool error.
      if (begun || !(error instanceof GateError)) throw error;
      return notExecutedResult(toolName, error);
    } finally {
      waiting.end();
    }
  };
  // The library passes (arguments, extra) if the tool has a schema, and (extra) otherwise.
  return gated as unknown as H;
}

/** Tells a client that a call waits for an approval, so that it does not time out. */
class WaitingNotice {
  readonly #extra: ToolRequest;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #steps = 0;

  constructor(
    extra: ToolRequest,
    { onError, progressIntervalMs = 10_000 }: Pick<GatedToolOptions<never>, 'onError' | 'progressIntervalMs'>,
  ) {
    this.#extra = extra;
    this.#onError = onError;
    this.#intervalMs = progressIntervalMs;
  }

  begin(): void {
    const progressToken = this.#extra._meta?.progressToken;
    if (progressToken === undefined) return;
    const tell = () => {
      // The value must increase with each notification, and the tool's own values come later.
      const progress = ++this.#steps / 1_000_000;
      const params = { progressToken, progress, message: 'waits for an approval' };
      this.#extra
        .sendNotification({ method: 'notifications/progress', params })
        .catch((error: unknown) => reportTo(this.#onError, error));
    };
    tell();
    this.#timer = setInterval(tell, this.#intervalMs);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
