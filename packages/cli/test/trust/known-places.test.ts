import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createVerifier } from '@tallystick/log';
import { tempDir } from '@tallystick/testing';
import { afterAll, expect, test } from 'vitest';
import { type KnownLogs, pinOf, withPin } from '../../src/trust/known-logs.ts';
import {
  knownPlacesPath,
  logsExpectedAt,
  readKnownPlaces,
  seenBefore,
  withoutSeen,
  withSeen,
  writeKnownPlaces,
} from '../../src/trust/known-places.ts';
import { directoryPlace, servicePlace } from '../../src/trust/place.ts';

const dir = tempDir();
afterAll(() => dir.remove());
const env = { XDG_CONFIG_HOME: dir.path };
const origin = 'audit.example.com/acme/1';
const [march, april] = ['2026-03-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'];
const service = servicePlace(new URL('https://Audit.Example.com/tally/'));
const local = servicePlace(new URL('http://127.0.0.1:8040'));
const none: KnownLogs = new Map();

test('a place is an address with its path, or a directory', () => {
  expect(service).toEqual({ id: 'https://audit.example.com/tally', isLoopback: false });
  expect(directoryPlace(dir.path).isLoopback).toBe(false);
  for (const url of [
    'http://127.0.0.1:1',
    'http://127.8.9.1',
    'http://[::1]:8040',
    'http://localhost',
    'http://a.localhost.',
  ])
    expect(servicePlace(new URL(url)).isLoopback, url).toBe(true);
  for (const url of ['https://localhost.example.com', 'https://127.0.0.1.example.com', 'http://10.0.0.1'])
    expect(servicePlace(new URL(url)).isLoopback, url).toBe(false);
});

test('what was seen at a place survives in the file, and is forgotten with its log', () => {
  const seen = { origin, seenAt: march };
  const places = withSeen(new Map(), service, seen);
  expect(withSeen(places, service, { origin, seenAt: april })).toBe(places);
  writeKnownPlaces(env, places);
  expect(readKnownPlaces(env)).toEqual(places);
  expect(seenBefore(places, none, service, 'other.example.com/acme/1')).toEqual(seen);
  expect(seenBefore(places, none, service, 'audit.example.com/globex/1')).toBeUndefined();
  expect(seenBefore(withoutSeen(places, origin), none, service, origin)).toBeUndefined();
});

test('a loopback address is known by the name of the log', () => {
  const places = withSeen(new Map(), local, { origin, seenAt: march });
  expect(seenBefore(places, none, local, 'other.example.com/acme/1')).toBeUndefined();
  expect(seenBefore(places, none, local, 'audit.example.com/acme/2')).toMatchObject({ origin });
  expect([...logsExpectedAt(places, none, local, ['other.example.com/x/1']).keys()]).toEqual([]);
  expect([...logsExpectedAt(places, none, local, ['audit.example.com/x/1']).keys()]).toEqual(['acme']);
});

test('places of earlier versions, which are only in the pinned keys, count too', () => {
  const pin = (of: string, pinnedAt: string, from: string) =>
    pinOf(createVerifier(of, new Uint8Array(32).fill(1)), { pinnedAt, by: 'first-use', from });
  const from = 'https://old.example.com';
  let known = withPin(none, pin('audit.example.com/acme/2', march, from));
  known = withPin(known, pin(origin, april, from));
  known = withPin(known, pin('audit.example.com/globex/1', march, 'https://else.example.com'));
  const old = servicePlace(new URL(from));
  expect(seenBefore(new Map(), known, old, 'x.example.com/acme/1')).toEqual({
    origin: 'audit.example.com/acme/2',
    seenAt: march,
  });
  expect([...logsExpectedAt(new Map(), known, old, []).keys()]).toEqual(['acme']);
});

test('a damaged file is not read as nothing known', () => {
  const path = knownPlacesPath(env);
  mkdirSync(dirname(path), { recursive: true });
  for (const seen of [
    null,
    {},
    { origin: 'x', seenAt: march },
    { origin, seenAt: 1 },
    { origin: 'a.example/other/1', seenAt: march },
  ]) {
    writeFileSync(path, JSON.stringify({ 'https://x': { acme: seen } }));
    expect(() => readKnownPlaces(env)).toThrow('the entry of acme at https://x');
  }
});
