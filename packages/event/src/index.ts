export { ipPattern } from './addresses/ip-address.ts';
export { type IpRange, isInRange, parseIpRange } from './addresses/ip-range.ts';
export { AuditValidationError, type EventErrorCode, eventErrorCodes, type Violation } from './errors.ts';
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
} from './fields/facets.ts';
export {
  type EventField,
  type EventFieldName,
  eventFields,
  type FieldFilter,
  fieldValue,
  type IndexedField,
  indexedFields,
  type RangeEnd,
} from './fields/fields.ts';
export { type AnyEvent, filterMatcher } from './fields/filter-match.ts';
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
} from './fields/filters.ts';
export { type MemberValue, memberValues } from './fields/member-values.ts';
export { CanonicalizationError, canonicalize, isCanonical } from './json/canonical.ts';
export { parsePointer, toPointer } from './json/pointer.ts';
export { decodeUtf8, parseStrictJson } from './json/strict-json.ts';
export { type ActorReference, parseActorReference } from './schema/actor-reference.ts';
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
} from './schema/event.ts';
export { eventJsonSchema, type JsonSchema, toJsonSchema } from './schema/json-schema.ts';
export { limits } from './schema/limits.ts';
export type { Fields, Infer, Json, ObjectShape, Shape } from './schema/shape.ts';
export * as shape from './schema/shape.ts';
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
export { BlockSummary, type SummaryRow } from './terms/block-summary.ts';
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
} from './terms/field-terms.ts';
export { uuidv7, uuidv7Time, uuidv8FromDigest } from './uuid.ts';
export { checkShape, parseTimestamp } from './validation/check.ts';
export { fitsOf } from './validation/fits.ts';
export {
  assertValidEvent,
  findViolations,
  type ReadEvent,
  readEvent,
  type ValidateOptions,
} from './validation/validate.ts';
