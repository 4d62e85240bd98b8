import { createHash } from 'node:crypto';
import { canonicalize } from '@tallystick/event';
import type { StatedEnd } from '@tallystick/sdk/gate';
import { endOfToolResult, notExecutedResult } from '@tallystick/sdk/mcp';
import type { RequestId, ToolCall } from './client-message.ts';

/** A JSON-RPC error response. */
export function errorResponse(id: RequestId | null, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

/** The answer to a call that was not executed. */
export function notExecuted(call: ToolCall, error: unknown): object {
  const result = notExecutedResult(call.name, error);
  return {
    jsonrpc: '2.0',
    id: call.id,
    result: { ...(call.statesVersion && { resultType: 'complete' }), ...result },
  };
}

/** What a server's response says about the end of a call, for its record. */
export function endOf(response: { readonly result?: unknown; readonly error?: unknown }): StatedEnd {
  if (response.error !== undefined) {
    const { code } = Object(response.error) as { readonly code?: unknown };
    return failedWith(code);
  }
  const { isError, resultType } = Object(response.result) as {
    readonly isError?: unknown;
    resultType?: unknown;
  };
  return { ...endOfToolResult(isError === true, resultType), resultDigest: canonicalDigest(response.result) };
}

export function failedWith(code: unknown): StatedEnd {
  return { status: 'failure', errorCode: `JSON_RPC_${Number.isSafeInteger(code) ? code : 'ERROR'}` };
}

function canonicalDigest(value: unknown): string | undefined {
  try {
    return `sha256:${createHash('sha256').update(canonicalize(value)).digest('hex')}`;
  } catch {
    // A result that is not canonical JSON, such as one with a lone surrogate, is passed on without a digest.
    return undefined;
  }
}
