import { type Gate, type GatedAction, GateError, type ReportState } from '@tallystick/sdk/gate';
import type { HookedAgent, HookedCall } from './formats.ts';

/** The action that a hooked call is: the same before and after, or the two could not be joined. */
export function actionOf(
  agent: HookedAgent,
  call: HookedCall,
  onBehalfOf: GatedAction['onBehalfOf'],
): GatedAction<unknown> {
  const { tool, callId, sessionId, directory, model } = call;
  return {
    action: tool,
    arguments: call.arguments,
    onBehalfOf,
    idempotencyKey: `${agent}:${sessionId}:${callId}`,
    context: {
      ai_agent: { name: agent, instance_uid: sessionId },
      ...(model !== undefined && { 'gen_ai.request.model': model }),
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.conversation.id': sessionId,
      'gen_ai.tool.name': tool,
      'gen_ai.tool.call.id': callId,
      ...(directory !== undefined && { directory }),
    },
  };
}

/** Asks the gate about a call. @returns why it is denied; `undefined` if it may run */
export async function askBefore(
  gate: Gate,
  action: GatedAction<unknown>,
  deadline: AbortSignal,
): Promise<string | undefined> {
  try {
    await gate.admit({ ...action, signal: deadline });
    return undefined;
  } catch (error) {
    if (!(error instanceof GateError)) throw error;
    const approval = error.approvalId === undefined ? '' : ` (approval ${error.approvalId})`;
    const why = error.code === 'ABORTED' ? 'no approval was given in time' : error.message;
    return `Tallystick denies this call: ${why} (${error.code})${approval}.`;
  }
}

/** What the user must know about the end of a call; `undefined` if it is the admitted call's. */
export function complaintAbout(state: ReportState, tool: string): string | undefined {
  switch (state) {
    case 'recorded':
    case 'reported_before':
      return undefined;
    case 'not_admitted':
      return `${tool} ran without the hook before it: the agent did not run the hook, or did not wait for it`;
    case 'changed':
      return `${tool} ran with other arguments than those that were decided: another hook may have changed them`;
  }
}
