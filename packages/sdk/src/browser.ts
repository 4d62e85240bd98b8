/**
 * What a bundler for browsers finds in place of every entry point of the SDK (export condition `browser`). All names are
 * exported so that an import fails with the message below, and not with a missing export.
 */
function refuse(): never {
  throw new Error(
    '@tallystick/sdk does not run in a browser: it needs sockets, threads and an API key that may write to the trail, ' +
      'which a web page would reveal. Send the event to your own backend and emit it there. If your code does not run ' +
      'in a browser, your bundler or test runner resolved the export condition "browser": mark @tallystick/sdk as ' +
      'external, or set the platform to node.',
  );
}

// '.'
export const AuditEmitter = refuse();
export const AuditError = refuse();
export const AuditValidationError = refuse();
export const BufferedAuditStore = refuse();
export const EventCategory = refuse();
export const EventTaxonomy = refuse();
export const OpenAPIClientAdapter = refuse();
export const TransportError = refuse();
export const agent = refuse();
export const audit = refuse();
export const auditErrorCodes = refuse();
export const buildLlmContext = refuse();
export const closeOnSignals = refuse();
export const combineTaxonomies = refuse();
export const core = refuse();
export const createAuditEmitter = refuse();
export const defaultConfig = refuse();
export const defineTaxonomy = refuse();
export const emitAuditEvent = refuse();
export const emitterDefaults = refuse();
export const fromJSON = refuse();
export const getAuditEmitter = refuse();
export const newAuditEvent = refuse();
export const newBufferedStore = refuse();
export const newEventData = refuse();
export const recommendedConfig = refuse();
export const setAuditEmitter = refuse();
export const shape = refuse();
export const soc = refuse();
export const systemClock = refuse();
export const toJSON = refuse();
export const withSourcePayload = refuse();
// './http'
export const httpDefaults = refuse();
export const httpTransport = refuse();
// './kafka'
export const AuditProducer = refuse();
export const createAuditProducer = refuse();
export const kafkaDefaults = refuse();
export const kafkaTransport = refuse();
// './memory'
export const MemoryTransport = refuse();
export const memoryTransport = refuse();
// './testing'
export const assertEmitted = refuse();
export const assertNotEmitted = refuse();
export const auditMatchers = refuse();
export const createTestAudit = refuse();
export const matches = refuse();
// './gate'
export const Gate = refuse();
export const GateError = refuse();
export const DeskRefusalError = refuse();
export const MemoryDesk = refuse();
export const createGate = refuse();
export const createMemoryDesk = refuse();
export const functionPolicy = refuse();
export const gateDefaults = refuse();
export const gateErrorCodes = refuse();
export const resultDigest = refuse();
export const rulePolicy = refuse();
// './express', './fastify', './web'
export const expressAudit = refuse();
export const fastifyAudit = refuse();
export const outcomeOfStatus = refuse();
export const withAudit = refuse();
export const withAuditFunction = refuse();
// './ai', './langchain', './mcp'
export const auditCallbacks = refuse();
export const auditModelCalls = refuse();
export const gatedTools = refuse();
export const startAgentRun = refuse();
export const auditedClient = refuse();
export const endOfToolResult = refuse();
export const gatedTool = refuse();
export const mcpToolAction = refuse();
export const notExecutedResult = refuse();
// './drizzle', './postgres'
export const AuditedDrizzleTable = refuse();
export const AuditedTable = refuse();
export const OutboxRelay = refuse();
export const PostgresOutbox = refuse();
export const SqlText = refuse();
export const auditedDrizzleTable = refuse();
export const auditedTable = refuse();
export const createOutboxRelay = refuse();
export const createPostgresOutbox = refuse();
export const drizzleClient = refuse();
export const outboxRelayDefaults = refuse();
export const outboxSchema = refuse();
export const sqlText = refuse();
// './fetch'
export const FetchEmitter = refuse();
export const createFetchEmitter = refuse();
export const fetchEmitterDefaults = refuse();
// './opentelemetry', './pino'
export const auditLine = refuse();
export const auditSpans = refuse();
export default refuse();
