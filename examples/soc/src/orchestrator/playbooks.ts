import { BlockList, isIP } from 'node:net';
import type { Entity, EntityKind } from '../platform/alert.ts';
import type { Ids } from '../platform/ids.ts';
import { type ActionKind, actionTiers, type PlannedAction } from '../platform/investigation.ts';

/** What may be done about a kind of attack. The model recommends; nothing outside the playbook is planned. */
export interface Playbook {
  readonly playbook_id: string;
  readonly title: string;
  /** Technique ids, without their sub-techniques. */
  readonly techniques: readonly string[];
  readonly always: readonly ActionKind[];
  /** Done if the model recommends it, too. */
  readonly ifRecommended: readonly ActionKind[];
}

/** In the order in which they are tried. The last one fits everything. */
export const playbooks: readonly Playbook[] = [
  {
    playbook_id: 'pb-plant-control',
    title: 'Somebody may control the plant',
    techniques: ['T0831', 'T0855', 'T0856'],
    always: ['notify_analyst'],
    ifRecommended: ['stop_production_line', 'isolate_host', 'block_ip'],
  },
  {
    playbook_id: 'pb-ransomware',
    title: 'Data is being encrypted or destroyed',
    techniques: ['T1486', 'T1489', 'T1490'],
    always: ['notify_analyst', 'tag_host'],
    ifRecommended: ['isolate_host', 'quarantine_file', 'revoke_sessions'],
  },
  {
    playbook_id: 'pb-credentials',
    title: 'Credentials were stolen or guessed',
    techniques: ['T1003', 'T1078', 'T1110', 'T1528', 'T1539', 'T1552', 'T1555', 'T1558', 'T1621'],
    always: ['tag_host'],
    ifRecommended: ['revoke_sessions', 'disable_account', 'block_ip', 'isolate_host'],
  },
  {
    playbook_id: 'pb-command-and-control',
    title: 'A machine is controlled from outside, or sends data there',
    techniques: ['T1041', 'T1048', 'T1071', 'T1090', 'T1095', 'T1105', 'T1568', 'T1571', 'T1572', 'T1573'],
    always: ['tag_host'],
    ifRecommended: ['block_ip', 'block_domain', 'isolate_host', 'quarantine_file', 'disable_account'],
  },
  {
    playbook_id: 'pb-phishing',
    title: 'A message tried to deceive somebody',
    techniques: ['T1566', 'T1204'],
    always: ['notify_analyst'],
    ifRecommended: ['block_domain', 'quarantine_file', 'revoke_sessions'],
  },
  {
    playbook_id: 'pb-general',
    title: 'An attack without a playbook of its own',
    techniques: [],
    always: ['notify_analyst'],
    ifRecommended: ['block_ip', 'block_domain', 'quarantine_file', 'isolate_host'],
  },
];

/** The first playbook that knows one of the techniques. */
export function selectPlaybook(techniques: readonly string[]): { playbook: Playbook; considered: string[] } {
  const bases = new Set(techniques.map((id) => (id.startsWith('AML.') ? id : id.split('.')[0]!)));
  const fitting = playbooks.filter((playbook) => playbook.techniques.some((id) => bases.has(id)));
  const playbook = fitting[0] ?? playbooks.at(-1)!;
  return { playbook, considered: fitting.slice(1).map(({ playbook_id }) => playbook_id) };
}

/** Which entities an action is about. `undefined`: the investigation itself. */
const targets: Record<ActionKind, readonly EntityKind[] | undefined> = {
  notify_analyst: undefined,
  confirm_verdict: undefined,
  tag_host: ['host'],
  block_ip: ['ip'],
  block_domain: ['dns'],
  quarantine_file: ['filehash', 'file'],
  revoke_sessions: ['account'],
  isolate_host: ['host'],
  disable_account: ['account'],
  stop_production_line: ['host'],
};

/** Of one kind, at most this many actions are planned. */
const maxTargets = 3;

/** The actions of a playbook for the entities of an alert. An action without an entity to act on is left out. */
export function planActions(
  { title, always, ifRecommended }: Playbook,
  recommended: readonly string[],
  entities: readonly Entity[],
  investigationId: string,
  ids: Ids,
): PlannedAction[] {
  const kinds = [...always, ...ifRecommended.filter((kind) => recommended.includes(kind))];
  return kinds.flatMap((kind) =>
    targetsOf(kind, entities, investigationId).map((target) => ({
      action_id: ids.next('action'),
      kind,
      target,
      tier: actionTiers[kind],
      reason: always.includes(kind) ? `${title}: always done` : `${title}: recommended by the model`,
    })),
  );
}

function targetsOf(
  kind: ActionKind,
  entities: readonly Entity[],
  investigationId: string,
): PlannedAction['target'][] {
  const entityKinds = targets[kind];
  if (entityKinds === undefined) return [{ type: 'investigation', id: investigationId }];
  for (const entityKind of entityKinds) {
    const fitting = entities.filter((entity) => entity.kind === entityKind && isOutside(kind, entity));
    if (fitting.length > 0)
      return fitting.slice(0, maxTargets).map(({ value }) => ({ type: entityKind, id: value }));
  }
  return [];
}

/**
 * Addresses that are our own or belong to nobody: unspecified, private, loopback, link-local, shared, multicast and reserved ones (IANA
 * special-purpose registries). An attacker can write any of them into an alert, and blocking one cuts off our own network.
 */
const neverBlocked = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  neverBlocked.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  neverBlocked.addSubnet(network, prefix, 'ipv6');
}

function isOutside(kind: ActionKind, { value }: Entity): boolean {
  if (kind !== 'block_ip') return true;
  const version = isIP(value);
  return version !== 0 && !neverBlocked.check(value, version === 4 ? 'ipv4' : 'ipv6');
}
