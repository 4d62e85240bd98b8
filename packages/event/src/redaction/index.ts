import './runtime.ts';

/** Increases with every change of what counts as a secret, so that a record can name the rules that were in force. */
export const redactionVersion = 2;

export { mask, type RedactionRules, Redactor, type Replacement } from './redactor.ts';
