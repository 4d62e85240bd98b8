export { type ActorReference, parseActorReference } from './actor-reference.ts';
export { BlockSummary, type SummaryRow } from './block-summary.ts';
export { CanonicalizationError, canonicalize, isCanonical } from './canonical.ts';
export { checkShape, parseTimestamp } from './check.ts';
export { AuditValidationError, type EventErrorCode, eventErrorCodes, type Violation } from './errors.ts';
export {
  type ActorType,
  type AuditEvent,
  actorTypes,
  eventDataShape,
  eventShape,
  type OutcomeStatus,
  outcomeShape,
  outcomeStatuses,
  type ProofType,
  proofShape,
  proofTypes,
  type Severity,
  severities,
  tenantIdPattern,
  uuidPattern,
} from './event.ts';
export { csvCell } from './export/csv.ts';
export { exportEndLine, parseExportEnd } from './export/end-line.ts';
export {
  type ExportFormat,
  type ExportPosition,
  type FlatRecord,
  formatExportPosition,
  parseExportPosition,
} from './export/export-format.ts';
export { type ExportFormatName, exportFormat, exportFormatNames } from './export/formats.ts';
export {
  type FacetName,
  facetFields,
  facetValue,
  type Grouping,
  readGrouping,
  spanStart,
  spanText,
  type TimeFacet,
  timeFacets,
  timeFacetValue,
} from './facets.ts';
export {
  anyTerm,
  fieldTerms,
  storedTermHashes,
  summaryScope,
  type TermScope,
  termBlockRecords,
  termGroupBlocks,
  termHashes,
  termsOfCondition,
} from './field-terms.ts';
export {
  type EventField,
  type EventFieldName,
  eventFields,
  type FieldFilter,
  fieldValue,
  type IndexedField,
  indexedFields,
  type RangeEnd,
} from './fields.ts';
export { type AnyEvent, filterMatcher } from './filter-match.ts';
export {
  type EventFilters,
  type FilterCondition,
  type FilterName,
  type FilterParameter,
  filterParameters,
  type MemberField,
  type MemberName,
  maxMemberPath,
  parseMemberName,
  type RangeName,
  readFilters,
  type ValueFilters,
  type ValueName,
} from './filters.ts';
export { fitsOf } from './fits.ts';
export { ipPattern } from './ip-address.ts';
export { type IpRange, isInRange, parseIpRange } from './ip-range.ts';
export { eventJsonSchema, type JsonSchema, toJsonSchema } from './json-schema.ts';
export { limits } from './limits.ts';
export { type MemberValue, memberValues } from './member-values.ts';
export { parsePointer, toPointer } from './pointer.ts';
export type { Fields, Infer, Json, ObjectShape, Shape } from './shape.ts';
export * as shape from './shape.ts';
export { decodeUtf8, parseStrictJson } from './strict-json.ts';
export { agent } from './taxonomy/agent.ts';
export { type CombinedTaxonomy, combineTaxonomies } from './taxonomy/combine.ts';
export { core } from './taxonomy/core.ts';
export { isReservedEventType, isServiceActor, log, speaksForService } from './taxonomy/log.ts';
export { aiContext, aiDecision, aiOutcome, EventCategory, EventTaxonomy, soc } from './taxonomy/soc.ts';
export {
  type DeclaredType,
  defineTaxonomy,
  type EventTypeDeclaration,
  type EventTypeOf,
  type EventTypes,
  type PayloadOf,
  type PayloadPart,
  type Taxonomy,
  typesOf,
} from './taxonomy/taxonomy.ts';
export { uuidv7, uuidv7Time, uuidv8FromDigest } from './uuid.ts';
export {
  assertValidEvent,
  findViolations,
  type ReadEvent,
  readEvent,
  type ValidateOptions,
} from './validate.ts';
