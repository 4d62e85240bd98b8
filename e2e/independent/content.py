"""The content of a file: plain or gzip, as a stream, line by line. spec/bundle.md, "The file"."""

import zlib

_longest_line = 2_097_152
_longest_header = 65_536
_piece = 65_536


class Refused(Exception):
    """The file is not a bundle."""

    def __init__(self, code, why):
        super().__init__(why)
        self.code = code


def damaged(why):
    return Refused("BUNDLE_DAMAGED", why)


def _cut():
    return Refused("BUNDLE_TRUNCATED", "the compressed file is cut short")


def content(file):
    """Yields the uncompressed bytes in pieces."""
    source = _Source(file)
    if source.need(2) and source.bytes[:2] == b"\x1f\x8b":
        yield from _members(source)
    else:
        while source.need(1):
            yield source.take(len(source.bytes))


class _Source:
    """Bytes that were read and not used yet."""

    def __init__(self, file):
        self._file = file
        self.bytes = b""

    def need(self, count):
        while len(self.bytes) < count:
            more = self._file.read(_piece)
            if not more:
                return False
            self.bytes += more
        return True

    def take(self, count):
        taken, self.bytes = self.bytes[:count], self.bytes[count:]
        return taken


def _members(source):
    """Unpacks members of RFC 1952, one after the other. Zeros between and after them are padding."""
    while True:
        while source.need(1) and source.bytes[0] == 0:
            source.bytes = source.bytes.lstrip(b"\0")
        if not source.need(1):
            return
        _skip_header(source)
        yield from _inflate(source)


def _skip_header(source):
    whole = source.need(10)
    for given, allowed in zip(source.bytes, ((0x1F,), (0x8B,), (8,), range(0x20))):
        if given not in allowed:
            raise damaged("bytes that are not gzip")
    if not whole:
        raise _cut()
    flags, length = source.bytes[3], 10
    if flags & 4:
        if not source.need(length + 2):
            raise _cut()
        length += 2 + int.from_bytes(source.bytes[length : length + 2], "little")
    for flag in (8, 16):
        if not flags & flag:
            continue
        while True:
            if length >= _longest_header:
                raise damaged("the gzip header is too long")
            if not source.need(length + 1):
                raise _cut()
            length += 1
            if source.bytes[length - 1] == 0:
                break
    if flags & 2:
        length += 2
    if length > _longest_header:
        raise damaged("the gzip header is too long")
    if not source.need(length):
        raise _cut()
    source.take(length)


def _inflate(source):
    """Yields the content of one member, up to the byte at which damage is found."""
    inflater, checksum, length = zlib.decompressobj(-zlib.MAX_WBITS), 0, 0
    while not inflater.eof:
        if not source.need(1):
            raise _cut()
        piece, before = source.take(_piece), inflater.copy()
        try:
            parts = [inflater.decompress(piece)]
        except zlib.error:
            # zlib drops what it unpacked in the call that finds damage, so the bytes are fed one by one.
            inflater, parts = before, None
        if parts is None:
            for at in range(len(piece)):
                try:
                    part = inflater.decompress(piece[at : at + 1])
                except zlib.error as error:
                    raise damaged("the compressed file is damaged") from error
                yield part
        for part in parts or ():
            checksum, length = zlib.crc32(part, checksum), length + len(part)
            yield part
    source.bytes = inflater.unused_data + source.bytes
    if not source.need(8):
        raise _cut()
    trailer = source.take(8)
    if trailer != checksum.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little"):
        raise damaged("the gzip checksum differs")


def lines(pieces):
    """Yields each line with its end. Only the last line can lack it."""
    rest = b""
    for piece in pieces:
        parts = piece.split(b"\n")
        for part in parts[:-1]:
            line, rest = rest + part + b"\n", b""
            if len(line) > _longest_line:
                raise damaged("a line is too long")
            yield line
        rest += parts[-1]
        if len(rest) > _longest_line:
            raise damaged("a line is too long")
    if rest:
        yield rest
