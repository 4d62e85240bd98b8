import { createHash } from 'node:crypto';
import { canonicalize } from '@tallystick/event';
import { redactionVersion } from '@tallystick/event/redaction';
import * as z from 'zod';
import { ServerError } from '../../errors.ts';

const list = z
  .array(
    z
      .string()
      .min(1)
      .max(128)
      .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text)),
  )
  .max(200);

const schema = z.strictObject({
  names: list.default([]),
  allow_names: list.default([]),
  paths: list.default([]),
});

/** Rules of redaction in the service, in addition to those that are built in. Patterns are not offered: one that takes quadratic time could stop the service. */
export interface RedactionRuleSet {
  /** More names of members whose values are secret. */
  readonly names: readonly string[];
  /** Names that look like secrets and are not. */
  readonly allowNames: readonly string[];
  /** Paths of members to replace whatever they contain, such as `context.user.email`; `*` stands for any name. */
  readonly paths: readonly string[];
}

/** What an operator sets: rules, or `off`. */
export type RedactionSetting = 'off' | RedactionRuleSet;

/** Rules without additions. */
export const defaultRules: RedactionRuleSet = Object.freeze({ names: [], allowNames: [], paths: [] });

/**
 * Reads rules in their wire form: `{"names": […], "allow_names": […], "paths": […]}`.
 *
 * @throws {ServerError} `CONFIG_INVALID`
 */
export function readRules(value: unknown): RedactionRuleSet {
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join('.') || 'the rules';
    throw new ServerError(
      'CONFIG_INVALID',
      `the rules of redaction are invalid: ${where}: ${issue?.message}`,
    );
  }
  const { names, allow_names, paths } = parsed.data;
  return { names, allowNames: allow_names, paths };
}

/** The wire form of rules. The order of their members means nothing. */
export function writeRules({ names, allowNames, paths }: RedactionRuleSet): {
  readonly [name: string]: readonly string[];
} {
  const sorted = (texts: readonly string[]) => [...new Set(texts)].sort();
  return { names: sorted(names), allow_names: sorted(allowNames), paths: sorted(paths) };
}

/** SHA-256 of the rules and of the version of the built-in ones, hex; `none` for no redaction. */
export function digestOf(setting: RedactionSetting): string {
  if (setting === 'off') return 'none';
  const text = canonicalize({ version: redactionVersion, ...writeRules(setting) });
  return createHash('sha256').update(text).digest('hex');
}
