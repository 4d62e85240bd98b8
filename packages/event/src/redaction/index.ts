export { mask, type RedactionRules, Redactor, type Replacement } from './redactor.ts';
