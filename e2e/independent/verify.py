#!/usr/bin/env python3
"""A second verifier, written only from spec/ and with only Python's standard library.

    python3 verify.py bundle FILE --key VKEY [--key VKEY …] [--json]
    python3 verify.py proof FILE --key VKEY [--record FILE] [--json]
    python3 verify.py vectors DIR

Exit codes: 0 verified or recovered, 1 broken, 2 not verifiable, 3 wrong usage, 4 a file can't be read, 5 a part of a trail
is verified or recovered.
"""

import argparse
import hashlib
import sys

from bundle import to_line, verify_bundle
from notes import Key, NoteError, decode_base64, parse_proof, verify_proof
from records import read_record
from vectors import Runner

EXIT = {"verified": 0, "recovered": 0, "verified_partial": 5, "recovered_partial": 5, "broken": 1, "not_verifiable": 2}


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(3, f"{self.prog}: {message}\n")


def _arguments():
    parser = _Parser(prog="verify.py")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for name in ("bundle", "proof"):
        command = commands.add_parser(name)
        command.add_argument("file")
        command.add_argument("--key", action="append", default=[])
        command.add_argument("--json", action="store_true")
        if name == "proof":
            command.add_argument("--record")
    commands.add_parser("vectors").add_argument("directory")
    return parser, parser.parse_args()


def _prove(path, keys, record_path):
    """Returns the result for a tlog-proof. Without a given record, the record is the extra data of the proof."""
    with open(path, "rb") as file:
        data = file.read()
    result = {
        "verdict": "broken",
        "tenant_id": None,
        "records": 1,
        "covered_to": None,
        "head": None,
        "trust": {"source": "none", "keys": []},
        "findings": [],
    }
    place = None
    try:
        text = data.decode("utf-8")
        place = parse_proof(text)[0]
        if record_path is not None:
            with open(record_path, "rb") as file:
                record = file.read()
        else:
            lines = text.split("\n")
            record = decode_base64(lines[1][6:]) if lines[1].startswith("extra ") else None
        if record is None:
            raise NoteError("RECORD_MISSING")
        _, (origin, size, _), signed_by = verify_proof(text, hashlib.sha256(record).digest(), keys)
        content = read_record(record.decode("utf-8"))
        tenant = origin.split("/")[-2]
        if content is None:
            raise NoteError("RECORD_NOT_CANONICAL")
        if content["sequence_number"] != place:
            raise NoteError("SEQUENCE_GAP")
        if content["tenant_id"] != tenant or content["event"].get("tenant_id") != tenant:
            raise NoteError("TENANT_MISMATCH")
        result.update(verdict="recovered" if int(origin.split("/")[-1]) > 1 else "verified", tenant_id=tenant)
        result.update(covered_to=size - 1, head=hashlib.sha256(record).hexdigest())
        result["trust"] = {"source": "given", "keys": [key.text for key in signed_by]}
    except UnicodeDecodeError:
        result["findings"] = [{"code": "PROOF_MALFORMED", "sequence_number": None}]
        result["verdict"] = "not_verifiable"
    except NoteError as error:
        result["findings"] = [{"code": error.code, "sequence_number": place}]
        if error.code in ("PROOF_MALFORMED", "NOTE_MALFORMED", "CHECKPOINT_MALFORMED", "NOTE_UNVERIFIED", "RECORD_MISSING"):
            result["verdict"] = "not_verifiable"
    return result


def _vectors(directory):
    run = Runner(directory)
    run.run()
    for name, count in run.counts.items():
        print(f"{count:5} checks  {name}")
    for failure in run.failures:
        print(f"FAILED {failure}")
    print(f"{sum(run.counts.values())} checks, {len(run.failures)} failed")
    return 1 if run.failures else 0


def main():
    # The canonical writer recurses with two frames per level. spec/record.md lets a verifier refuse deeper texts.
    sys.setrecursionlimit(5_000)
    parser, arguments = _arguments()
    try:
        if arguments.command == "vectors":
            return _vectors(arguments.directory)
        try:
            keys = [Key(text) for text in arguments.key]
        except NoteError:
            parser.error("a key is not of the form <name>+<8 hex digits>+<base64>")
        if arguments.command == "bundle":
            result = verify_bundle(arguments.file, keys)
        else:
            result = _prove(arguments.file, keys, arguments.record)
    except OSError as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 4
    if arguments.json:
        print(to_line(result))
    else:
        print(f"{result['verdict']}: {result['records']} records of {result['tenant_id']}, covered to {result['covered_to']}")
        if "covered" in result:
            print(f"  a part of a trail: covered {result['covered']}, missing {result['missing']}")
        for finding in result["findings"]:
            print(f"  {finding['code']} at {finding['sequence_number']}")
    return EXIT[result["verdict"]]


if __name__ == "__main__":
    sys.exit(main())
