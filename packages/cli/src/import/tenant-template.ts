import { parsePointer, tenantIdPattern } from '@tallystick/event';
import { CliError } from '../errors.ts';
import { MappingError, type SourceObject } from './source-json.ts';

/** Gives the tenant of a source event. */
export type TenantOf = (source: SourceObject) => string;

/**
 * Reads the value of `--tenant`: the id of a tenant, or a template with members of the source event in braces:
 * `aws-{recipientAccountId}`, or `{objectRef.namespace|cluster}` with a default after the bar. A name that contains a dot
 * needs a JSON pointer: `{/annotations/example.com~1team}`.
 *
 * @throws {CliError} `USAGE`
 */
export function parseTenantTemplate(template: string): TenantOf {
  const parts = template.split(/\{([^{}]*)\}/);
  const literals = parts.filter((_, at) => at % 2 === 0);
  if (template === '' || literals.some((literal) => /[{}]/.test(literal))) {
    throw new CliError('USAGE', `--tenant is a malformed template: ${JSON.stringify(template)}`);
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
    throw new MappingError('TENANT_ID_INVALID', `--tenant ${template} does not give a tenant id`);
  };
}

function parseReference(reference: string): TenantOf {
  const bar = reference.indexOf('|');
  const path = bar < 0 ? reference : reference.slice(0, bar);
  const otherwise = bar < 0 ? undefined : reference.slice(bar + 1);
  const tokens = path.startsWith('/') ? parsePointer(path) : path.split('.');
  if (tokens === undefined || tokens.includes('')) {
    throw new CliError('USAGE', `--tenant has a malformed member: {${reference}}`);
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
    throw new MappingError('TENANT_ID_INVALID', `has no ${path}, which --tenant needs`);
  };
}
