import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AuditValidationError, parseStrictJson } from '@tallystick/event';
import { GateError, type RulePolicy, type RulePolicyDefinition, rulePolicy } from '@tallystick/sdk/gate';
import { CliError } from '../errors.ts';

/** A policy from a file, and what the file says. */
export interface PolicyFile {
  readonly path: string;
  readonly definition: RulePolicyDefinition;
  readonly policy: RulePolicy;
}

/**
 * Reads a list of rules from a JSON file.
 *
 * @throws {CliError} `INPUT_UNREADABLE`; `POLICY_INVALID` with the place of the mistake: a policy with a mistake decides nothing
 */
export function readPolicyFile(file: string, cwd: string): PolicyFile {
  const path = resolve(cwd, file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError('INPUT_UNREADABLE', `can't read ${file}: ${code}`, { cause });
  }
  let definition: RulePolicyDefinition;
  try {
    definition = parseStrictJson(text) as RulePolicyDefinition;
  } catch (cause) {
    const why = cause instanceof AuditValidationError ? `${cause.violations[0]?.message}` : 'must be JSON';
    throw new CliError('POLICY_INVALID', `${file}${placeOf(text)} ${why}`, { cause });
  }
  try {
    return { path, definition, policy: rulePolicy(definition) };
  } catch (cause) {
    if (!(cause instanceof GateError)) throw cause;
    throw new CliError('POLICY_INVALID', `${file}: ${cause.message}`, { cause });
  }
}

/** Line and column at which a text stops being JSON, ` at 3:17`; empty where the engine does not say. */
function placeOf(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    if (position === undefined) return '';
    const before = text.slice(0, Number(position)).split('\n');
    return ` at ${before.length}:${before.at(-1)!.length + 1}`;
  }
}
