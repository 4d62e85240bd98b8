/** A policy as a list of rules: data, so that it can be reviewed, stored in a file and compared by its digest. */
import { checkShape, type Json, parsePointer, shape, type Violation } from '@tallystick/event';
import type { ApprovalRules } from '@tallystick/protocol';
import { digestOf } from './document.ts';
import { GateError } from './errors.ts';
import type { ActionHandling, Policy, PolicyDecision, PolicyRequest } from './policy.ts';

/**
 * A condition on one argument. All members that are given must hold. An argument that is absent fulfils only `exists: false`, and
 * one of another type fulfils no comparison.
 */
export interface ArgumentCondition {
  readonly exists?: boolean;
  readonly equals?: Json;
  readonly in?: readonly Json[];
  readonly lessThan?: number;
  readonly atMost?: number;
  readonly greaterThan?: number;
  readonly atLeast?: number;
  readonly startsWith?: string;
  readonly contains?: string;
}

/** What a rule matches. Texts may contain `*` for any characters. An absent member matches everything. */
export interface RuleMatch {
  readonly tenant?: string | readonly string[];
  /** Id of the actor. */
  readonly actor?: string | readonly string[];
  readonly action?: string | readonly string[];
  readonly targetType?: string | readonly string[];
  readonly targetId?: string | readonly string[];
  /** By JSON pointer into the arguments, such as `/amount`. */
  readonly arguments?: { readonly [pointer: string]: ArgumentCondition };
}

/** One rule. The first rule that matches decides. */
export interface PolicyRule {
  readonly name: string;
  readonly when?: RuleMatch;
  readonly effect: 'allow' | 'deny' | 'ask';
  readonly reason?: string;
  /** With `ask`: how the action is approved. */
  readonly approval?: Partial<ApprovalRules>;
  /** JSON pointers to arguments that neither the record nor the approver is shown. */
  readonly hidden?: readonly string[];
  /** With `allow`: the action runs even if its intent could not be acknowledged. @defaultValue false */
  readonly failOpen?: boolean;
}

/** The rules of a policy. */
export interface RulePolicyDefinition {
  readonly name: string;
  readonly version: string;
  readonly rules: readonly PolicyRule[];
  /** What happens where no rule matches. @defaultValue 'deny' */
  readonly otherwise?: 'deny' | 'ask';
}

/** A policy of rules. It decides without waiting. */
export interface RulePolicy extends Policy {
  decide(request: PolicyRequest): PolicyDecision;
  handling(request: PolicyRequest): ActionHandling;
}

const { any, boolean, closedObject, enumeration, integer, list, number, openObject, required, string } =
  shape;
const name = string({ minLength: 1, maxLength: 256 });
const ruleShape = closedObject({
  name: required(name),
  effect: required(enumeration(['allow', 'deny', 'ask'])),
  reason: string({ maxLength: 1_024 }),
  when: closedObject({
    tenant: any(),
    actor: any(),
    action: any(),
    targetType: any(),
    targetId: any(),
    arguments: openObject({}),
  }),
  approval: closedObject({
    approvals: integer({ minimum: 1, maximum: 100 }),
    approvers: list(name, { maxItems: 1_000 }),
    timeout_ms: integer({ minimum: 1 }),
    remind_after_ms: integer({ minimum: 1 }),
    escalate_to: list(name, { maxItems: 1_000 }),
    claim_within_ms: integer({ minimum: 1 }),
    hidden_arguments: enumeration(['allowed', 'refused']),
    break_glass: enumeration(['allowed', 'refused']),
  }),
  hidden: list(string({ minLength: 2, maxLength: 1_024 }), { maxItems: 100 }),
  failOpen: boolean(),
});
const definitionShape = closedObject({
  name: required(name),
  version: required(name),
  otherwise: enumeration(['deny', 'ask']),
  rules: required(list(ruleShape, { maxItems: 1_000 })),
});
const conditionShape = closedObject({
  exists: boolean(),
  equals: any(),
  in: list(any(), { maxItems: 1_000 }),
  lessThan: number(),
  atMost: number(),
  greaterThan: number(),
  atLeast: number(),
  startsWith: string(),
  contains: string(),
});

/**
 * Makes a policy of rules, given as an object or as parsed JSON.
 *
 * @throws {GateError} `CONFIG_INVALID` with the place of the mistake: a rule that can't be understood must not be ignored
 */
export function rulePolicy(definition: RulePolicyDefinition): RulePolicy {
  const found: Violation[] = [];
  checkShape(definition, definitionShape, [], found);
  if (found.length === 0) checkMatches(definition, found);
  const [first] = found;
  if (first !== undefined)
    throw new GateError(
      'CONFIG_INVALID',
      `the policy${first.pointer === '' ? '' : ` at ${first.pointer}`} ${first.message}`,
    );
  const rules = definition.rules.map((rule) => ({ rule, matches: compileMatch(rule.when ?? {}) }));
  const otherwise = definition.otherwise ?? 'deny';
  const ruleFor = (request: PolicyRequest) => rules.find(({ matches }) => matches(request))?.rule;
  return {
    name: definition.name,
    version: definition.version,
    digest: digestOf(definition),
    decide(request): PolicyDecision {
      const matched = ruleFor(request);
      if (matched === undefined) return { effect: otherwise, rule: 'default' };
      const { effect, reason, approval } = matched;
      const named = { rule: matched.name, ...(reason !== undefined && { reason }) };
      return effect === 'ask'
        ? { effect, ...named, ...(approval !== undefined && { approval }) }
        : { effect, ...named };
    },
    handling(request): ActionHandling {
      const { hidden, failOpen } = ruleFor(request) ?? {};
      return { hidden, failOpen };
    },
  };
}

/** Members that the closed shapes above leave open: patterns, and the conditions on arguments. */
function checkMatches(definition: RulePolicyDefinition, found: Violation[]): void {
  const names = new Set<string>();
  for (const [index, rule] of definition.rules.entries()) {
    const at = `/rules/${index}`;
    const report = (pointer: string, message: string) =>
      found.push({ code: 'FIELD_FORMAT', pointer: `${at}${pointer}`, message });
    if (names.has(rule.name)) report('/name', 'must differ from the names of the other rules');
    names.add(rule.name);
    if (rule.approval !== undefined && rule.effect !== 'ask') report('/approval', 'needs the effect ask');
    if (rule.failOpen === true && rule.effect !== 'allow') report('/failOpen', 'needs the effect allow');
    for (const [at, pointer] of (rule.hidden ?? []).entries()) {
      if (parsePointer(pointer) === undefined)
        report(`/hidden/${at}`, 'must be a JSON pointer to an argument, such as /card');
    }
    const { arguments: conditions = {}, ...patterns } = rule.when ?? {};
    for (const [member, pattern] of Object.entries(patterns)) {
      const texts = Array.isArray(pattern) ? (pattern as readonly unknown[]) : [pattern];
      if (texts.length === 0 || texts.some((text) => typeof text !== 'string' || text === ''))
        report(`/when/${member}`, 'must be a text, or a list of texts');
    }
    for (const [pointer, condition] of Object.entries(conditions)) {
      if (parsePointer(pointer) === undefined)
        report('/when/arguments', 'must name arguments by JSON pointers, such as /amount');
      checkShape(condition, conditionShape, ['rules', index, 'when', 'arguments', pointer], found);
    }
  }
}

function compileMatch(when: RuleMatch): (request: PolicyRequest) => boolean {
  const tests: ((request: PolicyRequest) => boolean)[] = [];
  const text = (pattern: RuleMatch['tenant'], of: (request: PolicyRequest) => string | undefined) => {
    if (pattern === undefined) return;
    const patterns = typeof pattern === 'string' ? [pattern] : pattern;
    tests.push((request) => {
      const value = of(request);
      return value !== undefined && patterns.some((one) => matchesPattern(value, one));
    });
  };
  text(when.tenant, ({ tenantId }) => tenantId);
  text(when.actor, ({ actorId }) => actorId);
  text(when.action, ({ action }) => action);
  text(when.targetType, ({ target }) => target?.type);
  text(when.targetId, ({ target }) => target?.id);
  for (const [pointer, condition] of Object.entries(when.arguments ?? {})) {
    const tokens = parsePointer(pointer)!;
    tests.push((request) => fulfils(resolve(request.arguments, tokens), condition));
  }
  return (request) => tests.every((holds) => holds(request));
}

/** Whether the text matches a pattern with `*`. Linear in the text for each part: a pattern can't be made to backtrack. */
export function matchesPattern(text: string, pattern: string): boolean {
  const parts = pattern.split('*');
  if (parts.length === 1) return text === pattern;
  const first = parts[0]!;
  const last = parts.at(-1)!;
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

function resolve(root: Json, tokens: readonly string[]): Json | undefined {
  let value: Json | undefined = root;
  for (const token of tokens) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, token)) return undefined;
    value = (value as { readonly [member: string]: Json })[token];
  }
  return value;
}

function fulfils(value: Json | undefined, condition: ArgumentCondition): boolean {
  const {
    exists,
    equals,
    in: among,
    lessThan,
    atMost,
    greaterThan,
    atLeast,
    startsWith,
    contains,
  } = condition;
  if (exists !== undefined && exists !== (value !== undefined)) return false;
  if (value === undefined) return exists === false;
  if (equals !== undefined && !isSame(value, equals)) return false;
  if (among !== undefined && !among.some((one) => isSame(value, one))) return false;
  const compares = (limit: number | undefined, holds: (given: number, limit: number) => boolean) =>
    limit === undefined || (typeof value === 'number' && holds(value, limit));
  if (!compares(lessThan, (given, limit) => given < limit)) return false;
  if (!compares(atMost, (given, limit) => given <= limit)) return false;
  if (!compares(greaterThan, (given, limit) => given > limit)) return false;
  if (!compares(atLeast, (given, limit) => given >= limit)) return false;
  if (startsWith !== undefined && !(typeof value === 'string' && value.startsWith(startsWith))) return false;
  if (contains === undefined) return true;
  return typeof value === 'string'
    ? value.includes(contains)
    : Array.isArray(value) && value.some((item: Json) => item === contains);
}

function isSame(one: Json, other: Json): boolean {
  return (
    one === other ||
    (typeof one === 'object' && typeof other === 'object' && digestOf(one) === digestOf(other))
  );
}
