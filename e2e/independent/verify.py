#!/usr/bin/env python3
"""A second verifier, written only from spec/ and with only Python's standard library.

    python3 verify.py file FILE --key VKEY [--key VKEY …] [--checkpoint NOTE …] [--keep DIR] [--record FILE] [--json]
    python3 verify.py vectors DIR [--only FILE]

`file` verifies a bundle, a receipt or an export with evidence; `-` is standard input. With --keep it compares the file with the checkpoint that an
earlier run kept in DIR, and keeps the newer one. --record gives the record of a receipt that does not contain it.

Exit codes: 0 verified or recovered, 1 broken, 2 not verifiable, 3 wrong usage, 4 a file can't be read, 5 a part of a trail or
a selection is verified or recovered, 6 a new epoch contradicts the checkpoint that was kept of an earlier one.
"""

import argparse
import sys

from archive import Malformed
from bundle import to_line, verify_bundle
from checkpoints import NotSigned, read_kept
from content import Refused, content
from epochs import CONTRADICTS, NAMES, EpochChanged, link_of
from kept import Kept, KeptDamaged
from notes import Key, NoteError, parse_checkpoint, parse_note, parse_origin
from receipt import BEGIN, longest, verify_receipt
from selection import BEGIN as ARCHIVE_BEGIN
from selection import verify_selection
from vectors import Runner

_PARTS = {f"{verdict}_{kind}": 5 for verdict in ("verified", "recovered") for kind in ("partial", "selection")}
EXIT = {"verified": 0, "recovered": 0, **_PARTS, "broken": 1, "not_verifiable": 2}


class WrongUsage(Exception):
    pass


class NotCompared(Exception):
    """The verdict is good, but the file can't be compared with a checkpoint that the user gave."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: {message}\n")


def _parser():
    parser = _Parser(prog="verify.py")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    file = commands.add_parser("file")
    file.add_argument("file")
    file.add_argument("--key", action="append", default=[])
    file.add_argument("--checkpoint", action="append", default=[])
    file.add_argument("--keep")
    file.add_argument("--record")
    file.add_argument("--json", action="store_true")
    vectors = commands.add_parser("vectors")
    vectors.add_argument("directory")
    vectors.add_argument("--only", help="a file of the vectors: terms.json")
    return parser


def _read_key(text):
    try:
        key = Key(text)
        parse_origin(key.name)
        return key
    except NoteError as error:
        raise WrongUsage("a key is not a log's verifier key: <log>/<tenant>/<epoch>+<8 hex digits>+<base64>") from error


def _read_given(path):
    """Returns (path, note, origin, size) of a checkpoint that the user kept."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        note = data.decode("utf-8")
        origin, size, _ = parse_checkpoint(parse_note(note)[0])
        return path, note, origin, size
    except (UnicodeDecodeError, NoteError) as error:
        raise WrongUsage(f"{path} is not a checkpoint") from error


class _Replayed:
    """A stream whose beginning can be read again, until its kind is known."""

    def __init__(self, stream):
        self._stream = stream
        self._read = []
        self._at = 0
        self._keeps = True

    def read(self, count):
        if self._at == len(self._read):
            data = self._stream.read(count)
            if not self._keeps:
                return data
            self._read.append(data)
        self._at += 1
        return self._read[self._at - 1]

    def rewind(self, keeps):
        self._at, self._keeps = 0, keeps


def _begins(stream, begin):
    """Whether the file begins with these bytes."""
    data = b""
    while len(data) < len(begin):
        piece = stream.read(len(begin) - len(data))
        if not piece:
            return False
        data += piece
    return data == begin


def _all(stream):
    return b"".join(iter(lambda: stream.read(1 << 20), b""))


def _is_receipt(stream):
    """Whether the content begins as a receipt does. Damage before that is for the reader of bundles to report."""
    begin = b""
    try:
        for piece in content(stream):
            begin = (begin + piece)[: len(BEGIN)]
            if len(begin) == len(BEGIN):
                break
    except Refused:
        return False
    return begin == BEGIN


def _whole(stream):
    """The content of a receipt, or None if it is damaged or too long."""
    data = b""
    try:
        for piece in content(stream):
            data += piece
            if len(data) > longest:
                return None
    except Refused:
        return None
    return data


class Verification:
    """Verifies one file, with the checkpoints that the user gave and the one that an earlier run kept."""

    def __init__(self, keys, given=(), kept=None):
        self._keys = keys
        self._given = given
        self._kept = kept
        self._before = None
        self._origin = None

    def run(self, stream, record=None):
        """Returns (result, files of evidence)."""
        stream = _Replayed(stream)
        is_archive = _begins(stream, ARCHIVE_BEGIN)
        stream.rewind(keeps=True)
        is_receipt = not is_archive and _is_receipt(stream)
        stream.rewind(keeps=False)
        if is_archive:
            result, fork = verify_selection(_all(stream), self._keys, self._kept_of)
        elif is_receipt:
            result, fork = verify_receipt(_whole(stream), self._keys, self._kept_of, record)
        else:
            result, fork = verify_bundle(
                stream, self._keys, self._kept_of, self._kept_of_closed, self._refuse_others, self._keep
            )
        evidence = [] if fork is None or self._kept is None else self._kept.save_evidence(fork)
        return result, evidence

    def _keep(self, result, note, genesis, keys):
        if self._kept is not None and self._follows(genesis, keys) and "not_compared" not in result:
            self._kept.replace(self._origin, self._before, note)

    def _follows(self, genesis, keys):
        """Whether an epoch that is verified for the first time names what was kept of the epoch before."""
        other = None if self._before is not None else self._kept.of_last_other_epoch(self._origin)
        if other is None or other[0] > parse_origin(self._origin)[2]:
            return True  # An old file is genuine.
        if genesis is None:
            return False
        kept = other[1]
        link, named = link_of(genesis, self._origin, kept, keys)
        if link == CONTRADICTS:
            (_, kept_size, _), (_, size, _) = (parse_checkpoint(parse_note(note)[0]) for note in (kept, named))
            if size == kept_size:
                self._kept.save_evidence((kept, named))
            raise EpochChanged(f"{self._origin} does not include the {kept_size} records that were verified before it")
        return link == NAMES

    def _refuse_others(self, origin):
        for path, _, own, _ in self._given:
            if own != origin:
                raise WrongUsage(f"{path} is a checkpoint of {own}, which is not verified")

    def _kept_of(self, origin, find, ring=None):
        self._refuse_others(origin)
        self._origin = origin
        self._before = None if self._kept is None else self._kept.read(origin)
        accepted = [] if self._before is None else [self._before]
        return read_kept(origin, self._keys, accepted, [note for _, note, _, _ in self._given], find, ring)

    def _kept_of_closed(self, origin):
        note = None if self._kept is None else self._kept.read(origin)
        return [] if note is None else read_kept(origin, [], [note], [], None)

    def refuse_uncompared(self, result):
        """The user named a checkpoint to compare the file with. A good verdict without the comparison is no answer."""
        for path, _, _, size in self._given:
            if size in result.get("not_compared", []) and EXIT[result["verdict"]] in (0, 5):
                raise NotCompared(f"the file can't be compared with the checkpoint in {path}")


def _verify_file(arguments):
    keys = [_read_key(text) for text in arguments.key]
    given = [_read_given(path) for path in arguments.checkpoint]
    verification = Verification(keys, given, None if arguments.keep is None else Kept(arguments.keep))
    record = None
    if arguments.record is not None:
        with open(arguments.record, "rb") as file:
            record = file.read()
    if arguments.file == "-":
        result, evidence = verification.run(sys.stdin.buffer, record)
    else:
        with open(arguments.file, "rb") as file:
            result, evidence = verification.run(file, record)
    for path in evidence:
        print(f"evidence of two checkpoints that contradict each other: {path}", file=sys.stderr)
    verification.refuse_uncompared(result)
    if arguments.json:
        print(to_line(result))
    else:
        _print_result(result)
    return EXIT[result["verdict"]]


def _print_result(result):
    if "omissions" in result:
        print(f"{result['verdict']}: {result['records']} records of {result['tenant_id']}; omissions are not covered")
    elif "record_hash" in result:
        print(f"{result['verdict']}: record {result['sequence_number']} of {result['tenant_id']}")
    else:
        print(f"{result['verdict']}: {result['records']} records of {result['tenant_id']}, covered to {result['covered_to']}")
    if "covered" in result:
        print(f"  a part of a trail: covered {result['covered']}, missing {result['missing']}")
    for one in result.get("closed", []):
        held = "not in this file" if one["records"] is None else f"{one['records']} records left and compared"
        print(f"  closed epoch {one['epoch']}: {one['signed']} records were signed, {held}, lost {one['lost']}")
    for one in result.get("rotations", []):
        print(f"  key rotated at {one['rotated_at']} after {one['last_size']} records: {one['old_key']} to {one['new_key']}")
    if "not_compared" in result:
        print(f"  not compared with the checkpoints of these sizes: {result['not_compared']}")
    for finding in result["findings"]:
        where = f" of epoch {finding['epoch']}" if "epoch" in finding else ""
        print(f"  {finding['code']} at {finding['sequence_number']}{where}")


def _vectors(directory, only):
    run = Runner(directory)
    run.run(only)
    for name, count in run.counts.items():
        print(f"{count:5} checks  {name}")
    for failure in run.failures:
        print(f"FAILED {failure}")
    print(f"{sum(run.counts.values())} checks, {len(run.failures)} failed")
    return 1 if run.failures else 0


def main(argv=None):
    # The canonical writer recurses with two frames per level, and a record has at most 1,000 levels.
    sys.setrecursionlimit(5_000)
    arguments = _parser().parse_args(argv)
    if arguments.command == "vectors":
        return _vectors(arguments.directory, arguments.only)
    try:
        return _verify_file(arguments)
    except (WrongUsage, Malformed, KeptDamaged, NotSigned, NotCompared, EpochChanged, OSError) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        if isinstance(error, OSError):
            return 4
        if isinstance(error, EpochChanged):
            return 6
        return 2 if isinstance(error, (Malformed, NotSigned, NotCompared)) else 3


if __name__ == "__main__":
    sys.exit(main())
