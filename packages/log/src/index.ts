export { sha256, sha256Stream } from '#sha256';
export { type AccountEntry, formatAccountEntry, parseAccountEntry } from './books/account-entry.ts';
export { type KeyFacts, keyDigest } from './books/key-digest.ts';
export {
  formatLetterEntry,
  type LetterEntry,
  type LetterFacts,
  letterDigest,
  parseLetterEntry,
} from './books/letter-entry.ts';
export { mergeRanges, type NumberRange, subtractRanges } from './books/number-ranges.ts';
export { concatBytes, equalBytes, fromBase64, fromHex, toBase64, toHex } from './bytes.ts';
export { type ChainState, chainEvent } from './chain.ts';
export {
  type ChainFinding,
  type ChainFindingCode,
  ChainVerifier,
  type ChainVerifierOptions,
  type StoredRecord,
  verifyChain,
} from './chain-verifier.ts';
export {
  type Checkpoint,
  formatCheckpoint,
  formatOrigin,
  logNamePattern,
  type Origin,
  parseCheckpoint,
  parseOrigin,
} from './checkpoint.ts';
export {
  type ClosedEpoch,
  type ClosedEpochText,
  formatLeftRange,
  type LeftRange,
  maxLeftRanges,
  readClosedEpochs,
} from './closed-epochs.ts';
export { importSigningKey, type SigningKey } from './ed25519.ts';
export { LogError, type LogErrorCode } from './errors.ts';
export {
  createGenesisRecord,
  type GenesisBinding,
  type GenesisOptions,
  genesisAuditId,
  type Recovery,
  readGenesis,
} from './genesis.ts';
export { type IndexedColumns, indexedColumnNames, indexedColumns } from './indexed-columns.ts';
export {
  formatRotation,
  type KeyRotation,
  type LastUnderKey,
  openRotation,
  parseRotation,
  type RotationEvidence,
  type RotationJson,
  type RotationStatement,
  readRotation,
  rotationFromJson,
  rotationLeaf,
  rotationToJson,
  verifyLastUnderKey,
} from './key-rotation.ts';
export {
  createVerifier,
  formatNote,
  formatVerifierKey,
  type Note,
  type NoteSignature,
  openNote,
  parseNote,
  parseVerifierKey,
  signNote,
  type Verifier,
} from './note.ts';
export { splitRotations, withRotations } from './receipt-rotations.ts';
export {
  type AuditRecord,
  computeRecordHash,
  flattenRecord,
  holdsEvent,
  type Ingest,
  type RecordParts,
  readCanonicalRecord,
  readRecord,
  recordVersion,
  type SealedRecord,
  sealRecord,
  type Trust,
  trustLevels,
  zeroHash,
} from './record.ts';
export { divideRecord, type RecordText } from './record-text.ts';
export { type SealedOpening, sealedCommitment } from './sealed-field.ts';
export { formatTlogProof, parseTlogProof, type TlogProof, verifyTlogProof } from './tlog-proof.ts';
export {
  decodeFrontier,
  emptyFrontier,
  encodeFrontier,
  type Frontier,
  FrontierBuilder,
  frontierNodes,
  frontierRoot,
} from './tree/frontier.ts';
export { emptyRoot, leafHash, nodeHash } from './tree/hash.ts';
export {
  MultiproofReader,
  multiproofGap,
  type ProvenLeaf,
  proveLeaves,
  verifyMultiproof,
} from './tree/multiproof.ts';
export { type Node, type NodeReader, nodesFromTiles, type TileReader } from './tree/nodes.ts';
export {
  proveConsistency,
  proveInclusion,
  rootFromInclusion,
  rootsFromConsistency,
  verifyConsistency,
  verifyInclusion,
} from './tree/proof.ts';
export { parseTilePath, type TileId, tileHeight, tilePath, tileWidth, tileWidthAt } from './tree/tile.ts';
