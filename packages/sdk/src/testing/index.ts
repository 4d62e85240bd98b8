export { assertEmitted, assertNotEmitted, auditMatchers, type EventPattern, matches } from './match.ts';
export { createTestAudit, type TestAudit } from './test-audit.ts';
