import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it arrived. */
export interface ProviderRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** What the next requests to a path are answered with; `hang`: nothing, until the client gives up. */
export type ProviderAnswer = { readonly status: number; readonly body: unknown } | 'hang';

/**
 * An HTTP server that answers as the providers document it: `POST /v1/messages` of Anthropic
 * (https://docs.claude.com/en/api/messages) and `POST /v1/responses` of OpenAI (https://platform.openai.com/docs/api-reference/responses).
 */
export class ProviderServer {
  readonly requests: ProviderRequest[] = [];
  /** Requests that the client ended before they were answered. */
  abandoned = 0;
  readonly answers: { [path: string]: ProviderAnswer } = {};
  readonly #server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const path = request.url!;
    this.requests.push({ path, headers: request.headers, body: JSON.parse(text) as Record<string, unknown> });
    const answer = this.answers[path];
    response.once('close', () => {
      if (!response.writableEnded) this.abandoned += 1;
    });
    if (answer === 'hang') return;
    const { status, body } = answer ?? { status: 404, body: { error: { message: `no ${path}` } } };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A message of Anthropic. `input_tokens` are those that the cache neither gave nor took. */
export function anthropicMessage(text: string, usage: Record<string, number>): ProviderAnswer {
  return {
    status: 200,
    body: {
      ...{ id: 'msg_01', type: 'message', role: 'assistant', model: 'claude-test' },
      content: [{ type: 'text', text }],
      ...{ stop_reason: 'end_turn', stop_sequence: null, usage },
    },
  };
}

/** A response of OpenAI. `input_tokens` are all of them, also those from its cache. */
export function openaiResponse(text: string, usage: Record<string, unknown>): ProviderAnswer {
  return {
    status: 200,
    body: {
      ...{ id: 'resp_01', object: 'response', created_at: 1_795_946_400, status: 'completed' },
      ...{ error: null, incomplete_details: null, model: 'gpt-test' },
      output: [
        {
          ...{ type: 'message', id: 'msg_01', status: 'completed', role: 'assistant' },
          content: [{ type: 'output_text', text, annotations: [] }],
        },
      ],
      usage,
    },
  };
}
