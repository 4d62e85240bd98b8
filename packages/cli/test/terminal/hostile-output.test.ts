import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signedAll } from '../../../../spec/vectors/generator/bundle-parts.ts';
import { linesOf, seal } from '../../../../spec/vectors/generator/bundle-writer.ts';
import { chain, event, trusted } from '../../../../spec/vectors/generator/fixture.ts';
import { everyNode, type Grammar, grammarOf } from '../../src/completion/grammar.ts';
import { createProgram } from '../../src/program.ts';
import { openService } from '../commands/service.ts';
import { tally } from '../run-tally.ts';
import { type Hostility, hostileService, type OpenApi } from './hostile-service.ts';

/**
 * The audited party chooses tenants, actors, ids and messages, and a service may answer anything. Whatever they contain, the
 * screen shows lines of this program only: every command runs with a hostile text in every field, argument and file.
 */
const attack =
  'x\x1b[2J\x1b[8m\x1b]0;t\x07\u009b2J\u0085\u200b\u202e\u2066\u2028\u2029\ufeff\u{e0061}\r\n✔ FORGED';
const dir = tempDir();
let hostility: Hostility;
let service: Awaited<ReturnType<typeof hostileService>>;

beforeAll(async () => {
  const own = await openService(join(dir.path, 'store'));
  const document = (await (await fetch(`${own.url}/openapi.json`)).json()) as OpenApi;
  await own.close();
  service = await hostileService(document, attack, () => hostility);
  writeFileSync(
    join(dir.path, 'events.jsonl'),
    `${JSON.stringify({ [attack]: attack, event_type: attack })}\n`,
  );
  writeFileSync(join(dir.path, 'k8s.jsonl'), `${JSON.stringify(kubernetes)}\n{"${attack}"\n`);
  writeFileSync(join(dir.path, `${attack.replaceAll(/[\r\n]/g, '')}.log`), attack);
  writeFileSync(join(dir.path, 'forged.tally'), seal(linesOf(forged)));
  writeFileSync(join(dir.path, 'not.note'), attack);
  writeFileSync(join(dir.path, 'policy.json'), JSON.stringify(hostilePolicy));
  mkdirSync(join(dir.path, 'config/tallystick'), { recursive: true });
});
afterAll(async () => {
  await service.close();
  dir.remove();
});

const kubernetes = {
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  auditID: attack,
  stage: 'ResponseComplete',
  requestReceivedTimestamp: '2026-03-01T12:00:00.000000Z',
  stageTimestamp: '2026-03-01T12:00:00.100000Z',
  requestURI: attack,
  verb: attack,
  user: { username: attack, groups: [attack] },
  objectRef: { resource: attack, name: attack, namespace: attack },
  responseStatus: { code: 200 },
};
/** Signed with the right key, and with another tenant's event: the finding quotes the tenant. */
const forged = await signedAll(
  chain(5, { 3: { event: event(3, { tenant_id: attack, event_type: attack }) } }),
);

const hostilePolicy = {
  name: attack,
  version: attack,
  rules: [{ name: attack, effect: 'deny', reason: attack, hidden: [`/${attack}`] }],
};

/** How each command is run. A command that reads a service gets the hostile one. */
const runs: { readonly [command: string]: readonly (readonly string[])[] } = {
  demo: [['--port', attack], [attack]],
  dev: [['--port', attack]],
  serve: [[attack], ['--port', attack], ['--log-name', attack]],
  migrate: [['--database-url', attack], [attack]],
  emit: [['--type', 'a.b', '--actor', attack, '--target', `post:${attack}`], []],
  import: [
    ['--format', 'k8s-audit', 'k8s.jsonl'],
    ['--format', 'k8s-audit', '--dry-run', 'k8s.jsonl'],
    ['--format', 'jsonl', '*.log', attack],
    ['--format', attack],
  ],
  events: [
    [],
    ['--actor', attack],
    ['--limit', attack],
    ['--top', attack],
    ['--top', 'timestamp', '--limit', '3'],
  ],
  search: [['a'], [attack], ['a', '--limit', attack]],
  stats: [[], ['--by', attack], ['--by', 'actor,day', '--limit', '3', '--actor', attack], ['--csv']],
  show: [['1'], [attack]],
  tail: [['--count', '1']],
  timeline: [
    [attack, '--limit', '3'],
    ['x', '--limit', attack],
    ['--run', attack],
    ['--trace', attack],
  ],
  missing: [[], [attack], ['--from', attack], ['--json', '--limit', attack]],
  verify: [
    [],
    ['forged.tally', '--key', trusted],
    [attack],
    ['*.log'],
    ['forged.tally', '--checkpoint', 'not.note', attack],
  ],
  checkpoint: [[], ['-o', join(attack, 'x')]],
  receipt: [['1'], [attack]],
  export: [
    [],
    ['--format', 'jsonl'],
    ['--format', 'csv'],
    ['-o', join(attack, 'x')],
    ['-o', attack, '--resume'],
  ],
  'log-keys list': [[]],
  'log-keys pin': [[attack]],
  'log-keys rotate': [['--data', attack]],
  'log-keys trust': [[]],
  'log-keys unpin': [[attack]],
  'topics create': [['--topics', attack], [attack]],
  'topics describe': [['--topics', attack], [attack]],
  tenants: [[]],
  producers: [[], ['--all']],
  'producers settle': [[attack], ['--yes', attack]],
  mcp: [
    ['--policy', attack, '--', attack],
    ['--policy', 'policy.json', '--', attack],
    ['--policy', 'policy.json', '--', process.execPath, '-e', `console.error(${JSON.stringify(attack)});`],
  ],
  hook: [
    ['--agent', attack, '--policy', attack],
    ['--agent', 'claude-code', '--policy', attack],
    ['--agent', 'codex', '--policy', 'policy.json'],
  ],
  'policy check': [
    ['policy.json'],
    ['policy.json', '--action', attack, '--target', attack],
    ['not.note'],
    [attack],
  ],
  'approvals list': [[], ['--state', attack]],
  'approvals show': [['1'], [attack]],
  'approvals grant': [
    ['1', '--digest', attack],
    [attack, '--digest', attack, '--comment', attack],
  ],
  'approvals deny': [['1'], [attack, '--comment', attack]],
  // It leaves out what a hostile service says without being the desk, so a run would not end.
  'approvals watch': [[attack]],
  'api-keys list': [[]],
  'api-keys create': [
    ['--name', attack, '--scope', 'admin', '--all-tenants'],
    ['--name', attack, '--scope', attack],
  ],
  'api-keys revoke': [[attack]],
  'viewer-tokens list': [[]],
  'viewer-tokens create': [[], ['--actor', attack], ['--metadata', `a=${attack}`, '--expires', attack]],
  'viewer-tokens revoke': [[attack]],
  'subjects list': [[]],
  'subjects block': [[attack], ['x', '--reason', attack]],
  'subjects unblock': [[attack]],
  'dlq list': [[], ['--reason', attack]],
  'dlq show': [['1'], ['1', '--raw'], [attack]],
  'dlq retry': [['1'], [attack]],
  'dlq purge': [['1'], ['1', '--yes'], ['--reason', attack]],
  intents: [[], ['--state', attack], ['--actor', attack]],
  'followers list': [[]],
  'followers show': [[attack], ['open-intents']],
  'followers pause': [[attack]],
  'followers resume': [[attack]],
  'followers reset': [[attack]],
  recover: [[], ['--reason', attack, '--yes']],
  strays: [[], ['--data', attack], ['--reason', attack, '--yes']],
  'webhooks list': [[], ['--state', attack], ['--state', 'dead']],
  'webhooks retry': [[attack, attack]],
  canonical: [[], [attack]],
  hash: [[], [attack]],
  'config list': [[]],
  'config get': [[attack], ['tenant']],
  'config set': [
    [attack, attack],
    ['tenant', attack],
  ],
  'config path': [[], [attack]],
  completion: [['bash'], ['fish'], ['zsh'], [attack]],
};

/** Every command that does something, by the program itself. */
function commandsOf(root: Grammar): string[] {
  const named = [...everyNode(root)].filter(
    ({ path, children }) => path.length > 0 && (children.length === 0 || path[0] === 'producers'),
  );
  return named.map(({ path }) => path.join(' ')).filter((name) => !/(^| )help$/.test(name));
}

test('the list of commands is complete', () => {
  const grammar = grammarOf(createProgram(() => {}));
  expect(commandsOf(grammar).sort()).toEqual(Object.keys(runs).sort());
});

const kinds: readonly Hostility[] = [
  { kind: 'enums', branch: 0 },
  { kind: 'enums', branch: 1 },
  { kind: 'enums', branch: 2 },
  { kind: 'all texts', branch: 0 },
  { kind: 'problems', branch: 0 },
];
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that styleText writes
const ownStyles = /\x1b\[(?:1|2|22|3[0-9]|39)m/g;
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u2800]/u;
/** The lines of the output, without the styles and the progress line of this program. */
const linesWithoutOwnStyles = (text: string) =>
  text.replaceAll(ownStyles, '').replaceAll('\r\x1b[2K', '').split('\n');

describe.each(Object.entries(runs))('%s', (command, argumentLists) => {
  test.each([
    ['on a screen', true, []],
    ['on a screen, as JSON', true, ['--json']],
    ['in a pipe, as JSON', false, ['--json']],
  ] as const)('%s', async (_, tty, options) => {
    let shown = '';
    for (const kind of kinds) {
      for (const args of argumentLists) {
        hostility = kind;
        const { stdout, stderr } = await tally([...command.split(' '), ...args, ...options], {
          cwd: dir.path,
          tty,
          stdin: attack,
          env: {
            XDG_CONFIG_HOME: join(dir.path, 'config'),
            TALLYSTICK_URL: service.url,
            TALLYSTICK_API_KEY: 'k',
            TALLYSTICK_TENANT: attack,
            COLUMNS: '10000',
          },
        });
        const isBundle = command === 'export' && !args.includes('--format');
        const isExact = !tty && (isBundle || args.includes('--raw'));
        shown += isExact ? stderr : stdout + stderr;
      }
    }
    for (const line of linesWithoutOwnStyles(shown)) {
      expect(line).not.toMatch(obeyed);
      expect(line).not.toMatch(/^✔ FORGED/);
    }
  });
});

test.each([
  ['events'],
  ['show', '1'],
  ['tail', '--count', '1'],
  ['tenants'],
  ['dlq', 'list'],
  ['dlq', 'show', '1'],
  ['api-keys', 'list'],
])('the hostile text reaches the screen, as its escape: %s %s', async (...args) => {
  hostility = { kind: 'enums', branch: 0 };
  const env = {
    TALLYSTICK_URL: service.url,
    TALLYSTICK_API_KEY: 'k',
    TALLYSTICK_TENANT: 'acme',
    COLUMNS: '100000',
  };
  const { stdout } = await tally(args, { tty: true, env });
  expect(stdout).toContain('x\\u{1b}[2J\\u{1b}[8m');
});
