import { createHash } from 'node:crypto';
import { canonicalize } from '@tallystick/event';
import { GateError, type StatedEnd } from '@tallystick/sdk/gate';
import type { RequestId, ToolCall } from './client-message.ts';

/** A JSON-RPC error response. */
export function errorResponse(id: RequestId | null, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

/**
 * The answer to a call that was not executed: a tool result with `isError`, and not a protocol error. The specification (revision
 * 2025-11-25, "Error Handling" of tools) keeps protocol errors for requests that are malformed or name an unknown tool, and says
 * that models see tool errors and can correct themselves. A denial is for the model: it must learn that nothing happened, and why.
 */
export function notExecuted(call: ToolCall, error: unknown): object {
  const { code, message, approvalId, intentId } =
    error instanceof GateError ? error : { code: 'GATE_FAILED', message: 'the gate failed' };
  const text = `The call of ${call.name} was not executed: ${message} (${code}).`;
  return {
    jsonrpc: '2.0',
    id: call.id,
    result: {
      ...(call.statesVersion && { resultType: 'complete' }),
      content: [{ type: 'text', text }],
      isError: true,
      _meta: {
        'tallystick/code': code,
        ...(intentId !== undefined && { 'tallystick/intent': intentId }),
        ...(approvalId !== undefined && { 'tallystick/approval': approvalId }),
      },
    },
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
  return { ...endOfResult(isError === true, resultType), resultDigest: canonicalDigest(response.result) };
}

export function failedWith(code: unknown): StatedEnd {
  return { status: 'failure', errorCode: `JSON_RPC_${Number.isSafeInteger(code) ? code : 'ERROR'}` };
}

/** A result that asks for input, or that is a handle of a task, is not the end of the tool's work: the record says which it is. */
export function endOfResult(isError: boolean, resultType: unknown): StatedEnd {
  const interim = typeof resultType === 'string' && resultType !== 'complete';
  return {
    ...(isError ? { status: 'failure', errorCode: 'TOOL_ERROR' } : { status: 'success' }),
    ...(interim && { details: { result_type: resultType.slice(0, 100) } }),
  };
}

function canonicalDigest(value: unknown): string | undefined {
  try {
    return `sha256:${createHash('sha256').update(canonicalize(value)).digest('hex')}`;
  } catch {
    // A result that is not canonical JSON, such as one with a lone surrogate, is passed on without a digest.
    return undefined;
  }
}
