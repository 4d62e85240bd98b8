import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@tallystick/testing';
import { expect, test } from 'vitest';
import { readRedactionSetting } from '../../src/service/redaction-setting.ts';

test('on, off, nothing, and a file with rules', () => {
  const dir = tempDir();
  writeFileSync(join(dir.path, 'rules.json'), '{"names":["member_number"],"paths":["context.user.email"]}');
  writeFileSync(join(dir.path, 'wrong.json'), '{"nmaes":[]}');
  expect(readRedactionSetting(undefined, dir.path)).toBeUndefined();
  expect(readRedactionSetting('off', dir.path)).toBe('off');
  expect(readRedactionSetting('on', dir.path)).toEqual({ names: [], allowNames: [], paths: [] });
  expect(readRedactionSetting('rules.json', dir.path)).toEqual({
    names: ['member_number'],
    allowNames: [],
    paths: ['context.user.email'],
  });
  expect(() => readRedactionSetting('wrong.json', dir.path)).toThrow('does not contain rules');
  expect(() => readRedactionSetting('onn', dir.path)).toThrow("can't read the rules");
  dir.remove();
});
