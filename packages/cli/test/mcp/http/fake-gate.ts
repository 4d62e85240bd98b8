import { type Gate, GateError, type StatedEnd } from '@tallystick/sdk/gate';

/** A gate without a service. It denies `denied`, asks for `asks` until `grant` is called, and permits all other tools. */
export interface FakeGate {
  readonly gate: Gate;
  /** Ends of calls, by the ids of their requests. */
  readonly ends: ReadonlyMap<string, StatedEnd>;
  /** The contexts of intents, by the ids of their requests. */
  readonly intents: ReadonlyMap<string, { readonly [name: string]: unknown }>;
  /** How many calls wait. */
  readonly waiting: () => number;
  grant(): void;
}

export function fakeGate(): FakeGate {
  const ends = new Map<string, StatedEnd>();
  const intents = new Map<string, { readonly [name: string]: unknown }>();
  const granted = new Set<() => void>();
  const run: Gate['run'] = async (action, effect) => {
    const id = String(action.context?.['jsonrpc.request.id']);
    intents.set(id, { ...action.context });
    if (action.action === 'denied') throw new GateError('DENIED', 'never');
    if (action.action === 'asks') {
      action.onPending?.({ id: 'apr_1', decide_before: '2027-01-01T00:00:00Z' } as never);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const signal = action.signal!;
      const abort = () => reject(new GateError('ABORTED', 'the caller gave up the action'));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort);
      granted.add(resolve);
      await promise.finally(() => granted.delete(resolve));
    }
    return await effect(action.arguments as never, {
      intentId: 'i',
      acknowledged: 'chained',
      signal: new AbortController().signal,
      cost: () => {},
      ended: (end) => void ends.set(id, end),
    });
  };
  return {
    gate: { run } as Gate,
    ends,
    intents,
    waiting: () => granted.size,
    grant: () => {
      for (const resolve of granted) resolve();
    },
  };
}
