import type { EntityKind } from '../../platform/alert.ts';
import type { FoundEntity } from '../entities.ts';

type Members = Readonly<Record<string, unknown>>;

/** How the value of an entity is read from its members, by its type. */
const readers: Record<string, { kind: EntityKind; value: (members: Members) => string | undefined }> = {
  account: { kind: 'account', value: accountName },
  host: { kind: 'host', value: hostName },
  ip: { kind: 'ip', value: text('Address') },
  file: { kind: 'file', value: joined('Directory', '\\', 'Name') },
  filehash: { kind: 'filehash', value: text('Value') },
  process: { kind: 'process', value: processName },
  url: { kind: 'url', value: text('Url') },
  dns: { kind: 'dns', value: text('DomainName') },
  mailbox: { kind: 'mailbox', value: text('MailboxPrimaryAddress') },
  'registry-key': { kind: 'registry-key', value: joined('Hive', '\\', 'Key') },
  'azure-resource': { kind: 'cloud-resource', value: text('ResourceId') },
  'cloud-application': { kind: 'cloud-resource', value: text('Name') },
};

/** How deeply entities may contain other entities. */
const maxDepth = 8;

/**
 * The entities of an alert. An entity has an `$id`, and others refer to it with `$ref`; entities may also contain others. Of several
 * entities with the same `$id`, the first counts.
 */
export function sentinelEntities(list: readonly unknown[]): FoundEntity[] {
  const byId = new Map<string, Members>();
  visit(list, (entity) => {
    const id = entity.$id;
    if (typeof id === 'string' && !byId.has(id)) byId.set(id, entity);
  });
  const resolve = (value: unknown): unknown => {
    const ref = (Object(value) as Members).$ref;
    return typeof ref === 'string' ? byId.get(ref) : value;
  };
  const found: FoundEntity[] = [];
  visit(list, (entity, where) => {
    const reader = Object.hasOwn(readers, typeOf(entity)) ? readers[typeOf(entity)] : undefined;
    // References are resolved one level deep, which is all that a name needs, so that a circle of references ends.
    const resolved = Object.fromEntries(
      Object.entries(entity).map(([name, value]) => [name, resolve(value)]),
    );
    const value = reader?.value(resolved);
    if (reader !== undefined && value !== undefined)
      found.push({ kind: reader.kind, value, confidence: 1, where });
  });
  return found;
}

function visit(list: readonly unknown[], each: (entity: Members, where: string) => void): void {
  const walk = (value: unknown, where: string, depth: number) => {
    if (typeof value !== 'object' || value === null || depth > maxDepth) return;
    if (!Array.isArray(value)) each(value as Members, where);
    for (const [name, member] of Object.entries(value)) walk(member, `${where}/${name}`, depth + 1);
  };
  walk(list, '/Entities', 0);
}

function typeOf(entity: Members): string {
  return typeof entity.Type === 'string' ? entity.Type.toLowerCase() : '';
}

function text(name: string) {
  return (members: Members) => stringOf(members[name]);
}

function joined(first: string, separator: string, second: string) {
  return (members: Members) => {
    const parts = [stringOf(members[first]), stringOf(members[second])].filter((part) => part !== undefined);
    return parts.length === 0 ? undefined : parts.join(separator);
  };
}

function accountName(members: Members): string | undefined {
  const name = stringOf(members.Name);
  if (name === undefined) return stringOf(members.AadUserId) ?? stringOf(members.Sid);
  const suffix = stringOf(members.UPNSuffix);
  const domain = stringOf(members.NTDomain);
  if (suffix !== undefined) return `${name}@${suffix}`;
  return domain === undefined ? name : `${domain}\\${name}`;
}

function hostName(members: Members): string | undefined {
  const name = stringOf(members.HostName) ?? stringOf(members.NetBiosName);
  const domain = stringOf(members.DnsDomain);
  return name === undefined || domain === undefined ? name : `${name}.${domain}`;
}

function processName(members: Members): string | undefined {
  const image = Object(members.ImageFile) as Members;
  return (
    stringOf(members.CommandLine) ?? joined('Directory', '\\', 'Name')(image) ?? stringOf(members.ProcessId)
  );
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
