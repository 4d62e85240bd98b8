import { digestOf } from './document.ts';
import type { Policy, PolicyDecision, PolicyRequest } from './policy.ts';

/** A policy that is a function. */
export interface FunctionPolicyDefinition {
  readonly name: string;
  readonly version: string;
  readonly decide: (request: PolicyRequest) => PolicyDecision | Promise<PolicyDecision>;
}

/**
 * Makes a policy of a function.
 *
 * Its digest covers the name, the version and the function's source text. It does not cover what the function refers to, so give it
 * a new version whenever it decides differently.
 */
export function functionPolicy({ name, version, decide }: FunctionPolicyDefinition): Policy {
  return { name, version, digest: digestOf([name, version, decide.toString()]), decide };
}
