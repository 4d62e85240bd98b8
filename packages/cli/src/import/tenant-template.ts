import { parsePointer, tenantIdPattern } from '@tallystick/event';
import { CliError } from '../errors.ts';
import { MappingError, type SourceObject } from './source-json.ts';

/** Whose chain an imported event belongs to. */
export type TenantOf = (source: SourceObject) => string;

/**
 * Reads what `--tenant` says: a tenant's id, or a template with members of the source event in braces:
 * `aws-{recipientAccountId}`, `{objectRef.namespace|cluster}` (with a default), or a JSON pointer where a name holds a
 * dot: `{/annotations/example.com~1team}`.
 *
 * @throws {CliError} `USAGE`
 */
export function parseTenantTemplate(template: string): TenantOf {
  const parts = template.split(/\{([^{}]*)\}/);
  const literals = parts.filter((_, at) => at % 2 === 0);
  if (template === '' || literals.some((literal) => /[{}]/.test(literal))) {
    throw new CliError('USAGE', `malformed tenant template ${JSON.stringify(template)}`);
  }
  if (parts.length === 1) {
    if (!tenantIdPattern.test(template)) {
      throw new CliError(
        'USAGE',
        `${JSON.stringify(template)} is not a tenant id: ${tenantIdPattern.source}`,
      );
    }
    return () => template;
  }
  const readers = parts.map((part, at) => (at % 2 === 0 ? () => part : parseReference(part)));
  return (source) => {
    const tenant = readers.map((read) => read(source)).join('');
    if (tenantIdPattern.test(tenant)) return tenant;
    throw new MappingError('TENANT_ID_INVALID', `the tenant that ${template} gives is not a tenant id`);
  };
}

function parseReference(reference: string): TenantOf {
  const bar = reference.indexOf('|');
  const path = bar < 0 ? reference : reference.slice(0, bar);
  const otherwise = bar < 0 ? undefined : reference.slice(bar + 1);
  const tokens = path.startsWith('/') ? parsePointer(path) : path.split('.');
  if (tokens === undefined || tokens.includes('')) {
    throw new CliError('USAGE', `malformed member {${reference}} in the tenant template`);
  }
  return (source) => {
    let value: unknown = source;
    for (const token of tokens) {
      const inside = typeof value === 'object' && value !== null && Object.hasOwn(value, token);
      value = inside ? (value as SourceObject)[token] : undefined;
    }
    if (typeof value === 'string' && value !== '') return value;
    if (typeof value === 'number') return String(value);
    if (otherwise !== undefined) return otherwise;
    throw new MappingError('TENANT_ID_INVALID', `has no ${path} to take the tenant from`);
  };
}
