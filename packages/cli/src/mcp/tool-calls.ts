import type { AuditPrincipal } from '@tallystick/sdk';
import { type Gate, GateError, type StatedEnd } from '@tallystick/sdk/gate';
import { mcpToolAction } from '@tallystick/sdk/mcp';
import { errorResponse, notExecuted } from './answer.ts';
import type { CallPort } from './call-port.ts';
import { rpcErrors, type ToolCall } from './client-message.ts';
import { LateCalls, serverEnded } from './late-calls.ts';
import { OpenRequests } from './open-requests.ts';
import { tellProgress } from './progress.ts';
import type { Sender } from './refused-messages.ts';
import { ToolDefinitions } from './tool-definitions.ts';

/** What a proxy knows about its calls. */
export interface ToolCallOptions {
  readonly gate: Gate;
  /** Name of the server, as policies and records know it. */
  readonly serverName: string;
  readonly onBehalfOf: readonly AuditPrincipal[];
  /** Tells the operator something, on stderr. */
  readonly note: (message: string) => void;
  readonly warn: (message: string) => void;
  /** A message did not pass. `reason` is one of a few fixed texts. */
  readonly onRefused: (sender: Sender, reason: string) => void;
  /** Pause between progress notifications while an approval waits, ms. @defaultValue 10000 */
  readonly progressIntervalMs?: number | undefined;
}

/** What the server has answered to a request. */
export interface Answer {
  readonly end: StatedEnd;
  /** The result, where the response was read as a whole. */
  readonly result?: unknown;
}

/** More calls than this are refused: their requests are in memory. */
const maxInFlight = 1_000;

/**
 * - `held`: waits for the gate; the server does not know it.
 * - `forwarded`: the server has it, and its answer is the answer.
 */
interface InFlight {
  state: 'held' | 'forwarded';
  /** Whether a person is about to decide about it. */
  awaitsApproval: boolean;
  readonly call: ToolCall;
  readonly port: CallPort;
  readonly giveUp: AbortController;
  /** Whether the client wants no answer any more. */
  cancelled: boolean;
  end: (end: StatedEnd) => void;
}

/** The tool calls that are in flight, from the client's request to the server's answer. */
export class ToolCalls {
  readonly #options: ToolCallOptions;
  /** By the key of the request: its id, with its type. Owned by this object. */
  readonly #inFlight = new Map<string, InFlight>();
  readonly #late = new LateCalls();
  /** Calls and all other requests that the server has. Owned by this object. */
  readonly #open: OpenRequests;
  readonly #definitions = new ToolDefinitions();
  readonly #running = new Set<Promise<void>>();

  constructor(options: ToolCallOptions, open = new OpenRequests()) {
    this.#options = options;
    this.#open = open;
  }

  /**
   * The client wants to send a request that is not a call.
   *
   * @returns why the server must not get it; `undefined` if it may
   */
  otherRequest(key: string, method: string): string | undefined {
    const refusal = this.#refusal(key);
    if (refusal === undefined) this.#open.sent(key, method);
    return refusal;
  }

  /** Whether a request with this key waits for its answer. */
  isOpen(key: string): boolean {
    return this.#inFlight.has(key) || this.#late.has(key) || this.#open.has(key);
  }

  #refusal(key: string): string | undefined {
    return this.#inFlight.has(key) ? 'another request with this id is in flight' : this.#open.refusal(key);
  }

  /** Gates a call, and forwards it if it may run. Never rejects. Resolves when the call has ended and its record is on its way. */
  run(key: string, call: ToolCall, port: CallPort): Promise<void> {
    const refusal = this.#refusal(key);
    if (refusal !== undefined) {
      this.#options.onRefused('client', refusal);
      port.send(errorResponse(call.id, rpcErrors.invalidRequest, refusal));
      return Promise.resolve();
    }
    if (this.#inFlight.size >= maxInFlight) {
      const error = new GateError('DENIED', `more than ${maxInFlight} calls are in flight`);
      this.#options.onRefused('client', error.message);
      port.send(notExecuted(call, error));
      return Promise.resolve();
    }
    const running = this.#run(key, call, port).finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }

  async #run(key: string, call: ToolCall, port: CallPort): Promise<void> {
    const { gate, serverName, onBehalfOf, progressIntervalMs } = this.#options;
    const giveUp = new AbortController();
    const { promise: ended, resolve: end } = Promise.withResolvers<StatedEnd>();
    const flight: InFlight = {
      state: 'held',
      awaitsApproval: false,
      call,
      port,
      giveUp,
      cancelled: false,
      end,
    };
    this.#inFlight.set(key, flight);
    const clientGone = () => this.#giveUpHeld(flight);
    if (port.clientGone?.aborted === true) clientGone();
    else port.clientGone?.addEventListener('abort', clientGone, { once: true });
    const forget = () => {
      if (this.#inFlight.get(key) === flight) this.#inFlight.delete(key);
    };
    let stopProgress = () => {};
    try {
      await gate.run(
        {
          ...mcpToolAction({
            server: serverName,
            toolName: call.name,
            requestId: call.id,
            sessionId: port.sessionDigest,
          }),
          arguments: call.arguments,
          onBehalfOf,
          signal: giveUp.signal,
          onPending: ({ id, decide_before }) => {
            const how = `tally approvals show ${id}`;
            flight.awaitsApproval = true;
            port.onPending?.();
            this.#options.note(`${call.name} waits for approval ${id} until ${decide_before}: ${how}`);
            stopProgress = tellProgress(call, port, `waits for an approval: ${how}`, progressIntervalMs);
          },
        },
        async (args, execution) => {
          stopProgress();
          giveUp.signal.throwIfAborted();
          flight.state = 'forwarded';
          this.#open.sent(key, 'tools/call');
          try {
            await port.forward(call.withArguments(args));
            execution.ended(await ended);
          } finally {
            forget();
          }
        },
      );
    } catch (error) {
      stopProgress();
      if (error instanceof GateError && error.code === 'EFFECT_TIMED_OUT') {
        // The server may answer later; the client gets that answer, and the trail a further record.
        if (this.#inFlight.get(key) === flight) this.#late.add(key, { id: call.id, port, end });
        forget();
        this.#options.warn(`${call.name}: ${error.message}`);
        return;
      }
      forget();
      if (flight.cancelled) return;
      if (flight.state === 'held') port.send(notExecuted(call, explained(error, giveUp.signal)));
      else port.send(errorResponse(call.id, rpcErrors.connectionClosed, 'the server could not be reached'));
    }
  }

  /**
   * The client cancels a call.
   *
   * @returns whether the server must be told, because it has the call
   */
  cancel(key: string): boolean {
    const flight = this.#inFlight.get(key);
    if (flight === undefined) {
      this.#late.end(key, { status: 'failure', errorCode: 'CANCELLED' });
      return true;
    }
    flight.cancelled = true;
    if (flight.state === 'held') {
      flight.giveUp.abort(new Error('the client cancelled the call'));
      return false;
    }
    // A server does not answer a cancelled request. Whether the effect happened is unknown.
    flight.end({ status: 'failure', errorCode: 'CANCELLED' });
    return true;
  }

  /** The server has answered a request. It may be one that the proxy does not know. */
  answered(key: string, { end, result }: Answer, session = ''): void {
    if (this.#open.answered(key) === 'tools/list') this.#listed(result, session);
    const flight = this.#inFlight.get(key);
    if (flight === undefined) return this.#late.end(key, end);
    if (flight.state === 'forwarded') return flight.end(end);
    // The client takes the answer for the call's, so the call must not run after it.
    this.#options.warn(`the server answered ${flight.call.name} before it got the call`);
    flight.cancelled = true;
    flight.giveUp.abort(new Error('the server answered the call before it got it'));
  }

  /** The server says that its tools have changed. */
  toolsChanged(session = ''): void {
    this.#withdraw(session, () => true);
  }

  #listed(result: unknown, session: string): void {
    const changed = this.#definitions.learn(session, result);
    if (changed.size > 0) this.#withdraw(session, (name) => changed.has(name));
  }

  /** An approver decides about the tool that the client knew. If the tool is another one meanwhile, the approval is not for it. */
  #withdraw(session: string, isChanged: (name: string) => boolean): void {
    for (const { state, awaitsApproval, call, port, giveUp } of this.#inFlight.values()) {
      if (state !== 'held' || !awaitsApproval || (port.session ?? '') !== session || !isChanged(call.name))
        continue;
      const what = `the server changed ${call.name} while the call waited for an approval`;
      this.#options.warn(what);
      giveUp.abort(new Error(what));
    }
  }

  /** The client has gone: what the server does not have yet is given up. */
  giveUpHeld(): void {
    for (const flight of this.#inFlight.values()) this.#giveUpHeld(flight);
  }

  #giveUpHeld(flight: InFlight): void {
    if (flight.state !== 'held') return;
    flight.cancelled = true;
    flight.giveUp.abort(new Error('the client has gone'));
  }

  /** The server has gone: no call gets an answer any more. */
  serverEnded(): void {
    for (const { state, call, port, giveUp, end } of this.#inFlight.values()) {
      if (state === 'held') giveUp.abort(new Error('the server has ended'));
      else serverEnded({ id: call.id, port, end });
    }
    this.#late.serverEnded();
  }

  /** Resolves when no call runs any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}

/** The gate knows that the call was given up. The proxy knows why. */
function explained(error: unknown, { aborted, reason }: AbortSignal): unknown {
  if (!aborted || !(error instanceof GateError) || error.code !== 'ABORTED') return error;
  return new GateError('ABORTED', (reason as Error).message, error);
}
