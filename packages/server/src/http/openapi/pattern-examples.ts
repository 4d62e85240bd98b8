import { tenantIdPattern, uuidPattern } from '@tallystick/event';

type Schema = { readonly [keyword: string]: unknown };

/** An example of each form that texts of this API have. Viewers of the document otherwise show random texts that match the pattern. */
const byPattern: { readonly [pattern: string]: string } = {
  [tenantIdPattern.source]: 'acme',
  [uuidPattern.source]: '019ca869-5000-7000-8000-000000000001',
  '^[0-9a-f]{12}$': '4f0c9a1be27d',
  '^[0-9a-f]{16}$': '4f0c9a1be27d8035',
  '^[0-9a-f]{64}$': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  '^sha256:[0-9a-f]{64}$': 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  '^[a-z][a-z0-9_-]*(?:\\.[a-z][a-z0-9_-]*)+$': 'auth.login',
  '^[a-z][a-z0-9_-]*(?:\\.[a-z][a-z0-9_-]*)*(?:\\.\\*)?$': 'auth.*',
  '^1\\.\\d{1,3}$': '1.0',
};
const byFormat: { readonly [format: string]: string } = {
  'date-time': '2026-03-01T08:00:00Z',
  ipv4: '203.0.113.7',
};

/** Adds an example to each text inside a schema that has a known pattern or format, and to each number without a real limit. */
export function withExamples(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withExamples);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.fromEntries(
    Object.entries(schema).map(([name, member]) => [
      name,
      name === 'example' ? member : withExamples(member),
    ]),
  );
  const { examples, example } = members;
  const found = exampleOf(members);
  return found === undefined || examples !== undefined || example !== undefined
    ? members
    : { ...members, examples: [found] };
}

function exampleOf({ type, pattern, format, minimum, maximum }: Schema): string | number | undefined {
  // Viewers otherwise show the greatest number that a client can read.
  if (type === 'integer' && maximum === Number.MAX_SAFE_INTEGER) return Math.max(1, Number(minimum ?? 0));
  if (typeof format === 'string' && byFormat[format] !== undefined) return byFormat[format];
  return typeof pattern === 'string' ? byPattern[pattern] : undefined;
}
