import { open } from 'node:fs/promises';
import { EvidenceError } from '@tallystick/verify';
import type { Entry, ZipFile } from 'yauzl';

/** An entry above this size must not be compressed more than {@link maxRatio} times: each record has hashes, which do not compress. */
const maxFreeBytes = 64 << 20;
const maxRatio = 200;

/** A file of the archive, and where its header and its data are. */
export interface PlacedFile {
  readonly entry: Entry;
  readonly begin: number;
  readonly end: number;
}

/** Bit of the flags: the sizes are in a descriptor after the data, and not in the header before it. */
const hasDescriptor = 0x8;
/** A header whose size is in an extra field. */
const inExtraField = 0xffffffff;

/**
 * Where a file of the directory is.
 *
 * @throws {EvidenceError} `EVIDENCE_MALFORMED` where the header before its data says something else than the directory, or for a file that
 *   can't be read
 */
export async function placeEntry(zip: ZipFile, entry: Entry): Promise<PlacedFile> {
  const { fileName, uncompressedSize, compressedSize } = entry;
  if (!entry.canDecodeFileData())
    throw new EvidenceError(`${fileName} is encrypted, or compressed in an unknown way`);
  if (uncompressedSize > maxFreeBytes && uncompressedSize > maxRatio * compressedSize)
    throw new EvidenceError(`${fileName} is compressed more than ${maxRatio} times`);
  // A field of Info-ZIP replaces the name for some programs, and not for others.
  if (entry.fileNameRaw.toString('latin1') !== fileName)
    throw new EvidenceError(`${fileName} has two names in the archive`);
  if (entry.fileCommentLength > 0) throw new EvidenceError(`${fileName} has a comment`);
  // Programs that read the archive from its beginning see this header, and not the one in the directory.
  const local = await zip.readLocalFileHeaderPromise(entry);
  if (local.fileName.toString('latin1') !== fileName)
    throw new EvidenceError(`${fileName} has two names in the archive`);
  if (local.compressionMethod !== entry.compressionMethod)
    throw new EvidenceError(`${fileName} has two kinds of compression in the archive`);
  const sizes = [
    [local.compressedSize, compressedSize],
    [local.uncompressedSize, uncompressedSize],
  ] as const;
  const isStated = (local.generalPurposeBitFlag & hasDescriptor) === 0;
  if (isStated && sizes.some(([size, real]) => size !== real && size !== inExtraField))
    throw new EvidenceError(`${fileName} has two sizes in the archive`);
  return { entry, begin: entry.relativeOffsetOfLocalHeader, end: local.fileDataStart + compressedSize };
}

/** Bytes of the longest descriptor. It has no room for the header of another file, which has 30. */
const maxDescriptorBytes = 24;

/** What the end of an archive states. */
export interface ArchiveEnd {
  /** Number of files. It is stated twice, once for the part of an archive that has several. */
  readonly entries: number;
  /** Of the directory, in bytes. */
  readonly size: number;
  readonly offset: number;
}

/** Reads the end of an archive. One with a comment ends elsewhere, and is refused for its comment. */
export async function readEnd(path: string): Promise<ArchiveEnd> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const end = Buffer.alloc(endBytes.plain);
    await file.read(end, 0, end.length, Math.max(0, size - end.length));
    return { entries: end.readUInt16LE(8), size: end.readUInt32LE(12), offset: end.readUInt32LE(16) };
  } finally {
    await file.close();
  }
}

/** Bytes of the end of the directory, and of what comes before it in an archive of 4 GiB and more. */
const endBytes = { plain: 22, large: 22 + 76 } as const;

/**
 * All bytes must belong to the files and the directory. Otherwise programs that read the archive from its beginning could find more files, or
 * files that share their bytes could be many times the size of the archive.
 *
 * @param files all of the directory, after the last of them was read
 * @throws {EvidenceError} `EVIDENCE_MALFORMED`
 */
export function checkPlaces(zip: ZipFile, files: readonly PlacedFile[], stated: ArchiveEnd): void {
  if (zip.comment.length > 0) throw new EvidenceError('the archive has a comment');
  const directoryBytes = files.reduce(
    (sum, { entry }) => sum + 46 + entry.fileNameLength + entry.extraFieldLength,
    0,
  );
  const isLarge = zip.fileSize >= 0xfffffffe;
  const directoryEnd = zip.fileSize - (isLarge ? endBytes.large : endBytes.plain);
  // Programs find the directory by its offset, or by its size and the end of the file. Both must lead to the one that was read.
  const isOne =
    // After the last entry, the end of the directory that was read. Its declared type is wrong.
    Number(zip.readEntryCursor) === directoryEnd &&
    stated.entries === files.length &&
    (isLarge || (stated.size === directoryBytes && stated.offset === directoryEnd - directoryBytes));
  if (!isOne) throw new EvidenceError('the archive has two directories');
  let end = 0;
  let allowed = 0;
  for (const file of [...files].sort((a, b) => a.begin - b.begin)) {
    checkGap(file.begin - end, allowed);
    end = file.end;
    allowed = (file.entry.generalPurposeBitFlag & hasDescriptor) === 0 ? 0 : maxDescriptorBytes;
  }
  checkGap(directoryEnd - directoryBytes - end, allowed);
}

function checkGap(bytes: number, allowed: number): void {
  if (bytes < 0) throw new EvidenceError('files of the archive overlap');
  if (bytes > allowed) throw new EvidenceError('the archive has bytes that belong to no file');
}
