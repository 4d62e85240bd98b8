import type { AuditPrincipal } from '@tallystick/sdk';
import type { AnyEmitter, Gate, Policy } from '@tallystick/sdk/gate';
import type { Context } from '../context.ts';
import { CliError } from '../errors.ts';
import { withoutRepetition } from '../terminal/without-repetition.ts';
import { splitActor } from './principal.ts';

/** What the commands that gate have in common. */
export interface GateSettings {
  /** `source_service` of the records. */
  readonly service: string;
  readonly policy: Policy;
  /** `type:id`. */
  readonly actor: string;
  readonly effectTimeoutMs?: number | undefined;
  readonly acknowledgeWithinMs?: number | undefined;
  readonly hidingKey?: string | undefined;
}

/** A client that ends its server waits only some seconds for it, ms. */
const closeWithinMs = 3_000;

/** A gate that records at a running service, and asks its desk. */
export interface ServiceGate extends AsyncDisposable {
  readonly gate: Gate;
  /** For records that are no action's. Nothing waits for their delivery. */
  readonly audit: AnyEmitter;
  readonly tenantId: string;
  readonly actor: AuditPrincipal;
}

/**
 * Opens a gate at the service that the settings name.
 *
 * @throws {CliError} `USAGE` for the directory of an embedded store: the approvers must be able to reach the desk
 */
export async function openServiceGate(context: Context, settings: GateSettings): Promise<ServiceGate> {
  const tenantId = context.requireTenant();
  const target = context.settings.target();
  if (target.kind !== 'service') {
    const hint = 'start one with tally dev, and name it with --server URL --key KEY';
    throw new CliError('USAGE', 'this command needs a running service, not a directory', { hint });
  }
  // Imported on demand: other commands must not wait for it.
  const { createAuditEmitter } = await import('@tallystick/sdk');
  const { createGate } = await import('@tallystick/sdk/gate');
  const { httpTransport } = await import('@tallystick/sdk/http');
  const { createClient } = await import('@tallystick/client');
  const { proxyFetch } = await import('../backend/proxy-fetch.ts');
  const { url, credential: apiKey } = target;
  const { terminal, processContext } = context;
  const warn = withoutRepetition((message) => terminal.warn(message), processContext.now);
  const audit = createAuditEmitter({
    service: settings.service,
    transport: httpTransport({ url, apiKey }),
    flushOnExit: false,
    onError: ({ code, message }) => warn(`${message} (${code})`),
  });
  const { approvals } = createClient({ url, apiKey, fetch: proxyFetch(processContext.env) });
  const [actorType, actorId] = splitActor(settings.actor);
  const actor = { actorType, actorId };
  const gate = createGate({
    audit,
    policy: settings.policy,
    desk: approvals,
    ledger: approvals,
    tenantId,
    actor,
    effectTimeoutMs: settings.effectTimeoutMs,
    acknowledgeWithinMs: settings.acknowledgeWithinMs,
    hidingKey: settings.hidingKey,
    onError: () => warn('the ledger of operations did not take the end of an action'),
  });
  return {
    gate,
    audit,
    tenantId,
    actor,
    [Symbol.asyncDispose]: async () => {
      await audit.close({ deadlineMs: closeWithinMs });
    },
  };
}

/** The principals that `--on-behalf-of` names. */
export function principalsOf(named: readonly string[] | undefined): readonly AuditPrincipal[] {
  return (named ?? []).map((principal) => {
    const [actorType, actorId] = splitActor(principal);
    return { actorType, actorId };
  });
}
