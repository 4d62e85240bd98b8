"""The zip archive of an export with evidence: spec/selection.md, "An export with evidence". Archives of 4 GiB and more are not read."""

import struct
import zlib

_longest_free = 64 << 20
_most_times = 200
_longest_descriptor = 24
_has_descriptor = 0x8
_in_extra_field = 0xFFFFFFFF


class Malformed(ValueError):
    """The verifier must refuse the file."""


class _Entry:
    """A file of the directory, at a place of the archive."""

    def __init__(self, data, at):
        if data[at : at + 4] != b"PK\x01\x02" or at + 46 > len(data):
            raise Malformed("the directory is damaged")
        self.flags, self.method = struct.unpack_from("<HH", data, at + 8)
        self.packed, self.size, name, extra, comment = struct.unpack_from("<IIHHH", data, at + 20)
        (self.begin,) = struct.unpack_from("<I", data, at + 42)
        self.name = data[at + 46 : at + 46 + name]
        self.next = at + 46 + name + extra
        if comment:
            raise Malformed("a file has a comment")
        if self.flags & 0x41 or self.method not in (0, 8):
            raise Malformed("a file is encrypted, or compressed in an unknown way")
        if self.method == 0 and self.packed != self.size:
            raise Malformed("a stored file has two sizes")
        if self.size > _longest_free and self.size > _most_times * self.packed:
            raise Malformed("a file is compressed far too well")
        self._read_header(data)

    def _read_header(self, data):
        """Programs that read the archive from its beginning see the header in front of the data, and not the directory."""
        if data[self.begin : self.begin + 4] != b"PK\x03\x04" or self.begin + 30 > len(data):
            raise Malformed("a file has no header")
        flags, method = struct.unpack_from("<HH", data, self.begin + 6)
        packed, size, name, extra = struct.unpack_from("<IIHH", data, self.begin + 18)
        if data[self.begin + 30 : self.begin + 30 + name] != self.name or method != self.method:
            raise Malformed("a file has two names, or two kinds of compression")
        if not flags & _has_descriptor:
            for own, stated in ((self.packed, packed), (self.size, size)):
                if stated not in (own, _in_extra_field):
                    raise Malformed("a file has two sizes")
        self.data = self.begin + 30 + name + extra
        self.end = self.data + self.packed

    def content(self, data):
        packed = data[self.data : self.end]
        if self.method == 0:
            return packed
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflater.decompress(packed, self.size + 1)
        except zlib.error as error:
            raise Malformed("a file is damaged") from error
        if len(content) != self.size or not inflater.eof:
            raise Malformed("a file has another size than the archive states")
        return content


def read_archive(data, names):
    """The files of the archive, by their names. Raises Malformed for an archive that has anything besides these files."""
    if len(data) < 22 or data[-22:-18] != b"PK\x05\x06":
        raise Malformed("the archive has no end, or a comment")
    disks, here, total, length, directory, comment = struct.unpack("<IHHIIH", data[-18:])
    if disks or comment or here != len(names) or total != len(names) or directory + length != len(data) - 22:
        raise Malformed("the end of the archive is damaged")
    entries, at = [], directory
    for _ in names:
        entries.append(_Entry(data, at))
        at = entries[-1].next
    if at != len(data) - 22 or {entry.name for entry in entries} != {name.encode() for name in names}:
        raise Malformed("the archive has other files")
    _check_places(entries, directory)
    return {entry.name.decode(): entry.content(data) for entry in entries}


def _check_places(entries, directory):
    """All bytes belong to the files and the directory."""
    end, allowed = 0, 0
    for entry in sorted(entries, key=lambda one: one.begin):
        if not end <= entry.begin <= end + allowed:
            raise Malformed("files overlap, or bytes belong to no file")
        end, allowed = entry.end, _longest_descriptor if entry.flags & _has_descriptor else 0
    if not end <= directory <= end + allowed:
        raise Malformed("the last file overlaps the directory, or bytes belong to no file")
