import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Scope, scopeMeanings, scopes } from '@tallystick/protocol';
import { AuditService } from '@tallystick/server';
import { createHttpApp } from '@tallystick/server/http';
import { prepareEmbeddedStore, tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { operatorRoutes, scopeHelp, scopeRoutes } from '../../../src/commands/operate/scope-help.ts';

type Access = 'open' | 'key' | 'viewer' | 'operator' | Scope;
interface Route {
  readonly access: Access;
  /** `GET /v1/tenants` */
  readonly place: string;
  readonly summary: string;
}

const guide = join(import.meta.dirname, '../../../../../docs/scopes.md');
const folder = tempDir();
let routes: readonly Route[];

beforeAll(async () => {
  const directory = join(folder.path, 'data');
  await prepareEmbeddedStore(directory);
  const service = await AuditService.open({
    store: { directory },
    followers: false,
    checkpointIntervalMs: 0,
  });
  const app = createHttpApp(service, { logger: false });
  const { paths } = (await app.inject('/openapi.json')).json<{
    paths: Record<string, Record<string, { summary: string; description?: string; security: unknown[] }>>;
  }>();
  routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary, description = '', security }]) => ({
      access: security.length === 0 ? 'open' : accessOf(description.split('\n\n').at(-1)!),
      place: `${method.toUpperCase()} ${path}`,
      summary,
    })),
  );
  await app.close();
  await service.close();
});
afterAll(() => folder.remove());

/** What the OpenAPI document says at the end of an operation's description. */
function accessOf(text: string): Access {
  if (text.startsWith('Accepts every valid API key')) return 'key';
  if (text.startsWith('Accepts viewer tokens alone')) return 'viewer';
  if (text.startsWith('Needs an API key or login for every tenant')) return 'operator';
  const scope = /^Needs the scope `(.+)`\.$/.exec(text)?.[1];
  expect(scopes, text).toContain(scope);
  return scope as Scope;
}

const at = (access: Access) => routes.filter((route) => route.access === access);
const isOf = (pattern: string, place: string) =>
  pattern.endsWith('…') ? place.startsWith(pattern.slice(0, -1)) : place === pattern;

describe('docs/scopes.md', () => {
  test('lists every scope with its meaning', () => {
    const rows = scopes.map((scope) => `| ${scope} | ${scopeMeanings[scope]} |`);
    expect(readFileSync(guide, 'utf8').replaceAll('`', '')).toContain(rows.join('\n'));
  });

  test('lists every route of the service under its scope', () => {
    const section = ([access, title]: readonly [Access, string]) =>
      [
        `### ${title}`,
        '',
        '| route | what it does |',
        '|---|---|',
        ...at(access).map(({ place, summary }) => `| \`${place}\` | ${summary} |`),
        '',
      ].join('\n');
    const titles: readonly (readonly [Access, string])[] = [
      ...scopes.filter((scope) => at(scope).length > 0).map((scope) => [scope, `\`${scope}\``] as const),
      ['operator', '`admin`, for every tenant'],
      ['key', 'Every API key and login'],
      ['viewer', 'A viewer token alone'],
      ['open', 'Every client, without a credential'],
    ];
    const expected = `<!-- routes -->\n\n${titles.map(section).join('\n')}\n<!-- /routes -->`;
    const written = readFileSync(guide, 'utf8');
    if (process.env.UPDATE_SCOPES === '1')
      writeFileSync(
        guide,
        written.replace(/<!-- routes -->[\s\S]*<!-- \/routes -->/, () => expected),
      );
    // If this fails: UPDATE_SCOPES=1 npm test -- scope-help
    expect(readFileSync(guide, 'utf8')).toContain(expected);
  });
});

describe('the help of tally api-keys create', () => {
  test('names the routes of each scope, and no others', () => {
    for (const scope of scopes) {
      const places = at(scope).map(({ place }) => place);
      for (const place of places)
        expect(
          scopeRoutes[scope].some((pattern) => isOf(pattern, place)),
          `${scope}: ${place}`,
        ).toBe(true);
      for (const pattern of scopeRoutes[scope])
        expect(
          places.some((place) => isOf(pattern, place)),
          `${scope}: ${pattern}`,
        ).toBe(true);
    }
    const paths = at('operator').map(({ place }) => place.split(' ')[1]!);
    for (const path of paths)
      expect(
        operatorRoutes.some((pattern) => isOf(pattern, path)),
        path,
      ).toBe(true);
    for (const pattern of operatorRoutes)
      expect(
        paths.some((path) => isOf(pattern, path)),
        pattern,
      ).toBe(true);
  });

  test('has one line for each scope and each of its routes', () => {
    const lines = scopes.length + Object.values(scopeRoutes).flat().length + operatorRoutes.length;
    expect(scopeHelp().split('\n')).toHaveLength(lines);
  });
});
