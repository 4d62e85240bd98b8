import { canonicalize } from '@tallystick/event';

/** Events of a store that is only made to be searched. The same place in the same store always has the same event. */
export const benchTenant = 'bench';

/** An event of the store, and its canonical JSON. */
export interface MadeEvent {
  readonly event: {
    readonly [field: string]: unknown;
    readonly audit_id: string;
    readonly tenant_id: string;
  };
  readonly canonical: string;
}

const types = [
  ['auth.login', 'authentication'],
  ['auth.logout', 'authentication'],
  ['auth.token_issued', 'authentication'],
  ['access.granted', 'access'],
  ['access.denied', 'access'],
  ['data.created', 'data'],
  ['data.read', 'data'],
  ['data.updated', 'data'],
  ['data.deleted', 'data'],
  ['config.changed', 'configuration'],
  ['content.create', 'content'],
  ['content.update', 'content'],
  ['content.publish', 'content'],
  ['tool.called', 'tools'],
  ['tool.completed', 'tools'],
] as const;
const services = ['gateway', 'billing', 'reports', 'importer', 'search', 'mailer', 'scheduler', 'console'];
const targets = ['host', 'file', 'order', 'user', 'page', 'key'];
const platforms = ['web', 'ios', 'android', 'api'];
const words =
  'request order page invoice account report policy rule token session queue file table index backup region'.split(
    ' ',
  );

/** Records with rare values: a page of them, in a store of any size. */
const rareRecords = 100;
/** Records with the word `walrus`: 100,000 of five million. */
export const commonWordEvery = 50;
/** Records with the word `zebrafish`. */
export const rareWordRecords = 10;

/**
 * @param at the place of the event; `records` of all
 * @param happened ms since the epoch
 */
export function madeEvent(at: number, records: number, happened: number): MadeEvent {
  const random = randomOf(at);
  const pick = <T>(values: readonly T[]) => values[random(values.length)]!;
  const rareEvery = Math.ceil(records / rareRecords);
  const isRare = at % rareEvery === 777 % rareEvery;
  const [type, category] = isRare ? (['config.secret_rotated', 'secrets'] as const) : pick(types);
  const isFailure = random(30) === 0;
  const status = isRare ? 'denied' : isFailure ? 'failure' : 'success';
  const severity = isRare ? 'critical' : random(20) === 0 ? 'warning' : 'info';
  const actor = random(2_000);
  const said = [pick(words), pick(words), pick(words), pick(words)];
  if (at % commonWordEvery === 7) said.push('walrus');
  if (at % Math.ceil(records / rareWordRecords) === 11) said.push('zebrafish');
  const event = {
    actor_id: isRare ? 'rare-actor' : `person-${actor}`,
    actor_type: isRare ? 'webhook' : actor % 10 === 0 ? 'agent' : 'user',
    alert_id: `alert-${Math.floor(at / 100)}`,
    audit_id: idAt(at, happened),
    context: { job: isRare ? 'rare-job' : `job-${random(200)}`, note: said.join(' '), tokens: random(5_000) },
    correlation_id: `request-${Math.floor(at / 20)}`,
    entity_ids: [`host-${random(20_000)}`, ...(isRare ? ['rare-host'] : [])],
    event_category: category,
    event_type: type,
    investigation_id: `inv-${Math.floor(at / 500)}`,
    ...(random(500) === 0 && { is_sensitive: true }),
    metadata: { platform: isRare ? 'mainframe' : pick(platforms), version: `1.${random(40)}.${random(10)}` },
    ...(random(5) === 0 && {
      on_behalf_of: [{ actor_id: `person-${random(2_000)}`, actor_type: 'user' }],
    }),
    outcome: {
      duration_ms: random(3_000),
      ...(isFailure && { error_message: 'the upstream did not answer' }),
      outcome_status: status,
    },
    severity,
    source_ip: isRare ? '203.0.113.9' : `10.${random(4)}.${random(200)}.${random(250)}`,
    source_service: isRare ? 'legacy' : pick(services),
    target_id: isRare ? 'rare-target' : `target-${random(50_000)}`,
    target_type: isRare ? 'vault' : pick(targets),
    tenant_id: benchTenant,
    timestamp: new Date(happened).toISOString(),
    trace_id: hexOf(Math.floor(at / 10) + 1, 32),
  };
  return { event, canonical: canonicalize(event) };
}

/** A UUIDv7 of this time, which no other place has. */
function idAt(at: number, happened: number): string {
  const time = hexOf(happened, 12);
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${hexOf(at, 12)}`;
}

function hexOf(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** Numbers below a bound, the same ones for the same seed: mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
