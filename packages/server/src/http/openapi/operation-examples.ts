/** An example of one operation: what a client sends, and what it may get. */
export interface OperationExample {
  /** Values of the parameters in the path. */
  readonly path?: { readonly [name: string]: string };
  readonly query?: { readonly [name: string]: string };
  readonly headers?: { readonly [name: string]: string };
  readonly body?: unknown;
  /** The answer in JSON with the first status of success. */
  readonly answer?: unknown;
  /** The answer does not end: curl shows it as it comes. */
  readonly endless?: true;
  /** The file into which curl writes the answer. */
  readonly file?: string;
}

const tenant_id = 'acme';
const id = '019ca869-5000-7000-8000-000000000001';
const intent_id = '019ca869-5000-7000-8000-000000000002';
const time = '2026-03-01T08:00:00Z';
const hash = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const digest = `sha256:${hash}`;
const ofTenant = { query: { tenant_id } };

const event = {
  audit_id: id,
  tenant_id,
  timestamp: time,
  event_type: 'auth.login',
  actor_type: 'user',
  actor_id: 'maria',
  source_service: 'shop',
  outcome: { outcome_status: 'success' },
};
const receipt = {
  audit_id: id,
  tenant_id,
  epoch: 0,
  sequence_number: 1,
  record_hash: hash,
  ingested_at: time,
};
const operation = { tenant_id, idempotency_key: 'isolate-host-7', document_digest: digest, intent_id };
const document = {
  tenant_id,
  action: 'isolate_host',
  actor: { actor_type: 'agent', actor_id: 'responder' },
  target: { type: 'host', id: 'laptop-7' },
  arguments: { host: 'laptop-7' },
  reason_unverified: 'It talks to a known command server',
  policy: { name: 'containment', version: '3' },
};
const rules = {
  approvals: 1,
  timeout_ms: 3_600_000,
  claim_within_ms: 600_000,
  hidden_arguments: 'refused',
  break_glass: 'refused',
};

/** One example for each operation, by its id. A test runs all as curl commands, and compares bodies and answers with their schemas. */
export const operationExamples: { readonly [operationId: string]: OperationExample } = {
  submitEvent: { body: event, answer: { status: 'chained', receipt } },
  submitEvents: {
    body: { events: [event, { ...event, audit_id: intent_id, event_type: 'auth.logout' }] },
    answer: {
      results: [
        { index: 0, status: 'duplicate', receipt },
        { index: 1, status: 'chained', receipt: { ...receipt, audit_id: intent_id, sequence_number: 2 } },
      ],
    },
  },
  listEvents: { query: { tenant_id, event_type: 'auth.*', from: '2026-03-01T00:00:00Z', limit: '10' } },
  getEvent: { path: { audit_id: id }, ...ofTenant },
  topEvents: { query: { tenant_id, by: 'context.llm_cost_usd', limit: '10' } },
  exportEvents: { query: { tenant_id, format: 'csv', event_type: 'auth.*' }, file: 'events.csv' },
  countEvents: { query: { tenant_id, by: 'event_type' } },
  getTimeline: { query: { tenant_id, correlation_id: 'request-7' } },
  streamEvents: { query: { tenant_id, event_type: 'auth.*' }, endless: true },
  verifyTrail: ofTenant,
  listVerifications: ofTenant,
  getCheckpoint: { path: { tenant_id } },
  getLogKeys: { path: { tenant_id } },
  getInclusionProof: { path: { tenant_id }, query: { index: '1', size: '2' } },
  getConsistencyProof: { path: { tenant_id }, query: { from: '1', to: '2' } },
  getTile: { path: { tenant_id, tile: '0/000.p/2' }, file: 'tile' },
  getReceipt: { path: { tenant_id, audit_id: id }, file: 'event.receipt' },
  exportBundle: { path: { tenant_id }, file: 'acme.tally' },
  listTenants: {},
  listProducers: ofTenant,
  settleProducers: {
    body: { tenant_id, silent_seconds: 86_400, reason: 'this job was removed', dry_run: true },
  },
  listDeadLetters: ofTenant,
  getDeadLetter: { path: { id } },
  purgeDeadLetter: { path: { id } },
  retryDeadLetter: { path: { id } },
  purgeDeadLetters: { body: { tenant_id, reason: 'FIELD_REQUIRED', dry_run: true } },
  requestApproval: { body: { id, intent_id, document } },
  listApprovals: { query: { tenant_id, state: 'pending' } },
  getApproval: { path: { approval_id: id }, ...ofTenant },
  decideApproval: {
    path: { approval_id: id },
    body: { tenant_id, verdict: 'grant', document_digest: digest, comment: 'The host is mine' },
  },
  claimApproval: { path: { approval_id: id }, body: { tenant_id, attempt: id, document_digest: digest } },
  withdrawApproval: { path: { approval_id: id }, body: { tenant_id, comment: 'The host is off' } },
  streamApproval: { path: { approval_id: id }, ...ofTenant, endless: true },
  listApprovalRules: {},
  setApprovalRules: { body: { tenant_id, action: 'isolate_host', rules } },
  removeApprovalRules: { query: { tenant_id, action: 'isolate_host' } },
  beginOperation: { body: operation, answer: { status: 'begun' } },
  finishOperation: { body: { ...operation, outcome: { status: 'success', completed_at: time } } },
  listWebhookDeliveries: { query: { state: 'dead' } },
  retryWebhookDelivery: { body: { endpoint: 'chat', id } },
  listOpenIntents: { query: { tenant_id, state: 'open' } },
  listApiKeys: {},
  createApiKey: {
    body: { name: 'shop', scopes: ['events:write'], tenants: [tenant_id] },
    answer: { id: '4f0c9a1be27d', key: 'tally_4f0c9a1be27d_…' },
  },
  revokeApiKey: { path: { id: '4f0c9a1be27d' } },
  listBlockedSubjects: {},
  blockSubject: { body: { subject: 'mallory', reason: 'Left the company' } },
  unblockSubject: { query: { subject: 'mallory' } },
  createViewerToken: {
    body: { tenant_id, filters: { actor: 'user:maria' }, expires_in: 900 },
    answer: {
      id: '4f0c9a1be27d8035',
      tenant_id,
      filters: { actor: 'user:maria' },
      include_records: true,
      include_ingest: false,
      issued_by: 'key:4f0c9a1be27d',
      created_at: time,
      expires_at: '2026-03-01T08:15:00Z',
      token: 'tally_view_4f0c9a1be27d8035_…',
    },
  },
  listViewerTokens: {},
  getCurrentViewerToken: {},
  revokeViewerToken: { path: { id: '4f0c9a1be27d8035' } },
  listFollowers: {},
  changeFollower: { path: { follower: 'search-index' }, body: { action: 'resume' } },
  getHealth: { answer: { status: 'ok', version: '0.1.0' } },
  getReadiness: {},
  getMetrics: {},
  getRoot: {},
  getOpenApi: { file: 'openapi.json' },
  getDocs: { file: 'docs.html' },
  getConsoleSession: {},
  signInToConsole: { headers: { 'x-tallystick-console': '1' }, body: { key: 'tally_4f0c9a1be27d_…' } },
  signOutOfConsole: { headers: { 'x-tallystick-csrf': 'the value csrf of the session' } },
};
