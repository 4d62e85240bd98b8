import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { SourceError } from '../../ingest/kafka/source-error.ts';
import { unpackLz4 } from './lz4.ts';
import { unpackSnappy } from './snappy.ts';
import { tooLarge, type UnpackError, unreadable } from './unpack-error.ts';

const mebibyte = 1024 * 1024;

/**
 * Most bytes that a record batch may unpack to: 128 of the largest events, and 32 times what a broker takes for a batch
 * where nobody has set another `message.max.bytes`. A megabyte of zeros needs a kilobyte of gzip and 50 bytes of zstd, so
 * without a bound one message of anybody's can take the process down.
 */
export const maxUnpackedBytes = 32 * mebibyte;

/**
 * The content of a record batch. It is unpacked on the event loop, which the bound keeps to some tens of milliseconds.
 *
 * @param codec the compression's number in the batch's attributes
 * @throws {UnpackError} for what its producer did
 * @throws {SourceError} `SOURCE_CORRUPT` for a compression that this version does not know: its broker does
 */
export function unpack(codec: number, packed: Buffer, limit: number = maxUnpackedBytes): Buffer {
  switch (codec) {
    case 0:
      return packed;
    case 1:
      return zlibs(packed, limit, gunzipSync);
    case 2:
      return unpackSnappy(packed, limit);
    case 3:
      return unpackLz4(packed, limit);
    case 4:
      return zlibs(packed, limit, zstdDecompressSync);
    default:
      throw new SourceError('SOURCE_CORRUPT', `the compression ${codec} is not known to this version`);
  }
}

/** Node's own: they stop at the bound, and leave nothing behind. */
function zlibs(
  packed: Buffer,
  limit: number,
  decompress: (packed: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Buffer,
): Buffer {
  try {
    // Node's 16 KiB make a large batch out of many pieces.
    const chunkSize = Math.max(16 * 1024, Math.min(mebibyte, packed.length * 4));
    return decompress(packed, { maxOutputLength: limit, chunkSize });
  } catch (error) {
    throw toUnpackError(error, limit);
  }
}

function toUnpackError(error: unknown, limit: number): UnpackError {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(limit) : unreadable(message, error);
}
