import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

// What is exported is a promise: a name that goes, or comes by accident, is a decision to be made here.
const promised: Record<string, string[]> = {
  '.': [
    'AuditEmitter',
    'AuditError',
    'AuditValidationError',
    'BufferedAuditStore',
    'OpenAPIClientAdapter',
    'TransportError',
    'audit',
    'auditErrorCodes',
    'buildLlmContext',
    'closeOnSignals',
    'createAuditEmitter',
    'defaultConfig',
    'emitAuditEvent',
    'emitterDefaults',
    'fromJSON',
    'getAuditEmitter',
    'newAuditEvent',
    'newBufferedStore',
    'newEventData',
    'recommendedConfig',
    'setAuditEmitter',
    'systemClock',
    'toJSON',
    'withSourcePayload',
  ],
  './http': ['httpDefaults', 'httpTransport'],
  './memory': ['MemoryTransport', 'memoryTransport'],
  './testing': ['assertEmitted', 'assertNotEmitted', 'auditMatchers', 'createTestAudit', 'matches'],
};

interface Manifest {
  exports: Record<string, Record<string, string> | string>;
  dependencies: Record<string, string>;
}
const root = new URL('../', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as Manifest;

test.each(Object.entries(promised))('%s exports what was promised', async (path, names) => {
  const entry = manifest.exports[path] as Record<string, string>;
  const source = new URL(entry['tallystick-source']!, root);
  expect(existsSync(source)).toBe(true);
  const built = entry['tallystick-source']!.replace('./src/', './dist/').replace(/\.ts$/, '');
  expect(entry.types).toBe(`${built}.d.ts`);
  expect(entry.default).toBe(`${built}.js`);
  const module = (await import(source.href)) as object;
  expect(Object.keys(module).sort()).toEqual([...names].sort());
});

test('nothing else is exported, and nothing is needed but the event package', () => {
  expect(Object.keys(manifest.exports).sort()).toEqual([...Object.keys(promised), './package.json'].sort());
  expect(Object.keys(manifest.dependencies)).toEqual(['@tallystick/event']);
});
