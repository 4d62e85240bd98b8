export { GateError, type GateErrorCode, type GateErrorDetails, gateErrorCodes } from './errors.ts';
export { type FunctionPolicyDefinition, functionPolicy } from './function-policy.ts';
export { createGate, Gate } from './gate.ts';
export {
  createMemoryDesk,
  type DeskRefusalCode,
  DeskRefusalError,
  MemoryDesk,
  type MemoryDeskOptions,
} from './memory-desk.ts';
export {
  type Acknowledgement,
  type AnyEmitter,
  type Effect,
  type Execution,
  type GatedAction,
  type GateOptions,
  gateDefaults,
  type StatedEnd,
} from './options.ts';
export type { ActionHandling, Policy, PolicyDecision, PolicyRequest } from './policy.ts';
export { resultDigest } from './records.ts';
export type { Admission, ReportedEnd, ReportState } from './report.ts';
export {
  type ArgumentCondition,
  type PolicyRule,
  type RuleMatch,
  type RulePolicy,
  type RulePolicyDefinition,
  rulePolicy,
} from './rule-policy.ts';
