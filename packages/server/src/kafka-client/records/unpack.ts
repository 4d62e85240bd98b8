import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { KafkaError } from '../kafka-error.ts';
import { unpackLz4 } from './lz4.ts';
import { unpackSnappy } from './snappy.ts';
import { tooLarge, type UnpackError, unreadable } from './unpack-error.ts';

const mebibyte = 1024 * 1024;

/**
 * Most bytes that a record batch may unpack to: 32 times the largest batch that a broker with the default
 * `message.max.bytes` accepts. A megabyte of zeros takes a kilobyte of gzip or 50 bytes of zstd, so without a limit, one
 * message could take all the memory of the process.
 */
export const maxUnpackedBytes = 32 * mebibyte;

/**
 * Unpacks the content of a record batch. This runs on the event loop; the limit keeps it to some tens of milliseconds.
 *
 * @param codec number of the compression in the batch's attributes
 * @throws {UnpackError} if the content, which the producer controls, is malformed or too large
 * @throws {KafkaError} `SOURCE_CORRUPT` if this version does not know the compression; a newer broker may accept it
 */
export function unpack(codec: number, packed: Buffer, limit: number = maxUnpackedBytes): Buffer {
  switch (codec) {
    case 0:
      return packed;
    case 1:
      return unpackWithZlib(packed, limit, gunzipSync);
    case 2:
      return unpackSnappy(packed, limit);
    case 3:
      return unpackLz4(packed, limit);
    case 4:
      return unpackWithZlib(packed, limit, zstdDecompressSync);
    default:
      throw new KafkaError('SOURCE_CORRUPT', `this version does not know the compression ${codec}`);
  }
}

/** Node's decoders stop at the limit. */
function unpackWithZlib(
  packed: Buffer,
  limit: number,
  decompress: (packed: Buffer, options: { maxOutputLength: number; chunkSize: number }) => Buffer,
): Buffer {
  try {
    // With Node's default of 16 KiB, a large batch is put together from many chunks.
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
