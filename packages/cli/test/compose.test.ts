import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { tally } from './run-tally.ts';

const root = join(import.meta.dirname, '../../..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly pull_policy?: string;
  readonly command?: readonly string[];
  readonly restart?: string;
  readonly environment: { readonly [name: string]: string };
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: { readonly [service: string]: { readonly condition: string } };
  readonly healthcheck?: { readonly test: readonly string[] };
}
const compose = parse(text, { merge: true, uniqueKeys: true }) as {
  readonly services: { readonly [name: string]: Service };
  readonly volumes: { readonly [name: string]: unknown };
  readonly configs: { readonly [name: string]: { readonly content: string } };
};
const services = Object.entries(compose.services);

test('every service that another one waits for exists and has a health check', () => {
  for (const [name, { depends_on = {} }] of services) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const awaited = compose.services[other];
      expect(awaited, `${name} waits for ${other}`).toBeDefined();
      const isJob = awaited!.restart === undefined;
      expect(condition).toBe(isJob ? 'service_completed_successfully' : 'service_healthy');
      if (!isJob) expect(awaited!.healthcheck?.test.length).toBeGreaterThan(1);
    }
  }
  expect(Object.keys(compose.services.audit!.depends_on!)).toEqual(['migrate', 'topics']);
});

test('every secret must be given, and no command line contains one', () => {
  const asked = [...text.matchAll(/\$\{(\w+)(.*?)\}/g)];
  expect(new Set(asked.map(([, name]) => name))).toEqual(
    new Set(['POSTGRES_PASSWORD', 'TALLYSTICK_DB_PASSWORD', 'TALLYSTICK_LOG_NAME']),
  );
  for (const [whole, , rest] of asked) expect(rest, whole).toMatch(/^:\?.{20}/);
  for (const [, { environment }] of services) {
    for (const [name, value] of Object.entries(environment)) {
      if (/PASSWORD|SECRET|KEY|TOKEN/.test(name)) expect(value).toMatch(/^\$\{\w+:\?/);
    }
  }
  expect(services.flatMap(([, { command = [] }]) => command).join(' ')).not.toContain('$');
});

test('the file with the secrets is not copied into an image', () => {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n');
  expect(ignored).toContain('**/.env*');
});

test('only the audit service is published, and only on the loopback address', () => {
  const ports = services.flatMap(([name, service]) => (service.ports ?? []).map((port) => `${name} ${port}`));
  expect(ports).toEqual(['audit 127.0.0.1:8040-8041:8040']);
});

// Three services built `tallystick:local` at once, and the first start ended with "image … already exists".
test('one service builds the image, and none pulls it from a registry', () => {
  const ours = services.filter(([, { image }]) => image === 'tallystick:local');
  expect(ours.filter(([, { build }]) => build !== undefined).map(([name]) => name)).toEqual(['migrate']);
  expect(new Set(ours.map(([, { pull_policy }]) => pull_policy))).toEqual(new Set(['never']));
});

// A file of a checkout that was made under umask 077 was mounted. The user of the container could not read it, and the database
// did not start.
test('data that must survive a container is in a volume, and no file of the checkout is mounted', () => {
  const mounts = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.split(':')[0]!));
  expect(mounts.sort()).toEqual(Object.keys(compose.volumes).sort());
  for (const config of Object.values(compose.configs)) expect(Object.keys(config)).toEqual(['content']);
});

test('the login of the service gets its password from the environment of the database', () => {
  const { content } = compose.configs['service-login']!;
  expect(content).toContain('create role tally_service login');
  const [, variable] = /\\getenv password (\w+)/.exec(content)!;
  expect(Object.keys(compose.services.postgres!.environment)).toContain(variable);
});

test('tally has the commands, options and variables', async () => {
  const ours = services.filter(([, { image }]) => image === 'tallystick:local');
  expect(ours.map(([name]) => name)).toEqual(['migrate', 'topics', 'audit']);
  for (const [name, { command, environment }] of ours) {
    const words = command!.filter((word) => /^[a-z]+$/.test(word)).slice(0, name === 'topics' ? 2 : 1);
    const { exitCode, stdout } = await tally([...words, '--help']);
    expect([name, exitCode]).toEqual([name, 0]);
    for (const flag of command!.filter((word) => word.startsWith('--'))) expect(stdout).toContain(flag);
    for (const variable of Object.keys(environment)) {
      expect(stdout.replaceAll(/\s+/g, ' '), `${name}: ${variable}`).toContain(variable);
    }
  }
});
