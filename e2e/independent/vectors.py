"""Runs spec/vectors: valid cases must give the expected result, malformed ones the expected error."""

import base64
import functools
import hashlib
import json
import os
import struct

from archive import Malformed
from bundle import verify_bundle
from checkpoints import read_kept
from events import Violation, admit, seconds
from notes import Key, NoteError, open_note, parse_checkpoint, parse_origin, verify_proof
from receipt import verify_receipt
from records import Chain, read_record
from selection import verify_selection
from strict_json import canonical, canonical_number, is_canonical, parse
from table import cell
from terms import field_terms, search_terms, stored_hashes, term_hash
from tree import ProofError, Tree, check_consistency, check_inclusion, check_multiproof, leaf_hash, parse_tile_path


def sha256_hex(text):
    return hashlib.sha256(text.encode()).hexdigest()


def outcome(run, error_type):
    """What `run` returns, or the code of the error that it raises."""
    try:
        return run()
    except error_type as error:
        return getattr(error, "code", "refused")


class Runner:
    def __init__(self, folder):
        self.folder = folder
        self.file = ""
        self.counts = {}
        self.failures = []

    def load(self, name):
        self.file = name
        self.counts[name] = 0
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return json.load(file)

    def same(self, what, found, expected):
        self.counts[self.file] += 1
        if found != expected:
            self.failures.append(f"{self.file}: {what}: expected {expected!r}, found {found!r}")

    def run(self, only=None):
        for name, check in _checks().items():
            if only in (None, name):
                check(self)


def _checks():
    return {
        "canonical.json": canonicals,
        "events.json": events,
        "records.json": records,
        "tree.json": trees,
        "proofs.json": proofs,
        "multiproofs.json": multiproofs,
        "notes.json": all_notes,
        "checkpoints.json": checkpoints,
        "tlog-proof.json": tlog_proofs,
        "receipts.json": receipts,
        "sealed.json": sealed,
        "terms.json": terms,
        "bundles/index.json": bundles,
        "selections/index.json": selections,
    }


def canonicals(run):
    vectors = run.load("canonical.json")
    for one in vectors["canonical"]:
        text = canonical(parse(one["text"]))
        run.same(one["name"], (text, sha256_hex(text)), (one["canonical"], one["sha256"]))
        run.same(one["name"], is_canonical(text), True)
    for one in vectors["numbers"]:
        number = struct.unpack(">d", bytes.fromhex(one["bits"]))[0]
        run.same(one["bits"], canonical_number(number), one["text"])
    for one in vectors["not_canonical"]:
        run.same(one["name"], is_canonical(one["text"]), False)


def events(run):
    vectors = run.load("events.json")
    now = seconds(vectors["now"])
    for one in vectors["valid"]:
        run.same(one["name"], outcome(lambda: admit(one["text"].encode(), now), Violation), one["canonical"])
    for one in vectors["invalid"]:
        if "base64" in one:
            data = base64.b64decode(one["base64"])
        else:
            text = one["text"]
            if "fill" in one:
                text = text.replace("#", one["fill"]["unit"] * one["fill"]["times"], 1)
            data = text.encode()
        try:
            admit(data, now)
            found = "admitted"
        except Violation as violation:
            found = (violation.code, violation.pointer)
        run.same(one["name"], found, (one["code"], one["pointer"]))


def records(run):
    vectors = run.load("records.json")
    for one in vectors["valid"]:
        run.same(one["name"], sha256_hex(one["record"]), one["record_hash"])
        run.same(one["name"], read_record(one["record"]) is not None, True)
    for one in vectors["malformed"]:
        run.same(one["name"], read_record(one["record"]), None)
    for one in vectors["chains"]:
        chain = Chain(vectors["tenant_id"], vectors["origin"])
        found = []
        for record in one["records"]:
            text = record if isinstance(record, str) else vectors["plain"][record]
            found += [f"{code}@{place}" for code, place in chain.check(text)[2]]
        run.same(one["name"], found, one["findings"])


def leaf_of(index):
    return leaf_hash(hashlib.sha256(str(index).encode()).digest())


def trees(run):
    vectors = run.load("tree.json")
    roots = {one["size"]: one["root"] for one in vectors["roots"]}
    tree = Tree()
    for index in range(max(roots) + 1):
        if index in roots:
            run.same(f"size {index}", tree.root().hex(), roots[index])
        tree.append(leaf_of(index))
    for one in vectors["tiles"]:
        width = 256 ** (one["level"] + 1)
        tile = Tree()
        for index in range(one["index"] * width, (one["index"] + 1) * width):
            tile.append(leaf_of(index))
        run.same(f"tile {one['level']}/{one['index']}", tile.root().hex(), one["root"])
    for one in vectors["paths"]:
        run.same(one["path"], parse_tile_path(one["path"]), (one["level"], one["index"], one["width"]))
    for path in vectors["malformed_paths"]:
        run.same(path, parse_tile_path(path), None)


def _proves(check, *arguments):
    try:
        check(*arguments)
        return True
    except ProofError:
        return False


def proofs(run):
    vectors = run.load("proofs.json")
    for one in vectors["inclusion"]:
        hashes = [base64.b64decode(text) for text in one["hashes"]]
        leaf, root = leaf_hash(bytes.fromhex(one["record_hash"])), bytes.fromhex(one["root"])
        run.same(one["name"], _proves(check_inclusion, one["index"], one["size"], leaf, hashes, root), one["valid"])
    for one in vectors["consistency"]:
        hashes = [base64.b64decode(text) for text in one["hashes"]]
        roots = bytes.fromhex(one["from_root"]), bytes.fromhex(one["to_root"])
        run.same(one["name"], _proves(check_consistency, one["from"], one["to"], hashes, *roots), one["valid"])


def multiproofs(run):
    vectors = run.load("multiproofs.json")
    for one in vectors["multiproofs"]:
        hashes = [base64.b64decode(text) for text in one["hashes"]]
        leaves = [leaf_hash(bytes.fromhex(text)) for text in one["record_hashes"]]
        found = _proves(check_multiproof, one["indexes"], one["size"], leaves, hashes, bytes.fromhex(one["root"]))
        run.same(one["name"], found, one["valid"])


def all_notes(run):
    vectors = run.load("notes.json")
    for one in vectors["keys"]:
        key = Key(one["key"])
        run.same(one["key"], (key.name, key.id.hex(), key.public_key.hex()), (one["name"], one["key_id"], one["public_key"]))
    for one in vectors["malformed_keys"]:
        run.same(one["name"], outcome(lambda: Key(one["key"]), NoteError), "KEY_MALFORMED")
    for one in vectors["notes"]:
        text, signed_by = open_note(one["note"], [Key(key) for key in one["keys"]])
        run.same(one["name"], (text, [key.text for key in signed_by]), (one["text"], one["signed_by"]))
    for one in vectors["refused"]:
        keys = [Key(key) for key in one["keys"]]
        run.same(one["name"], outcome(lambda: open_note(one["note"], keys), NoteError), one["code"])


def checkpoints(run):
    vectors = run.load("checkpoints.json")
    for one in vectors["valid"]:
        origin, size, root = parse_checkpoint(one["text"])
        run.same(one["text"], (origin, size, root.hex()), (one["origin"], one["size"], one["root"]))
    for one in vectors["malformed"]:
        run.same(one["name"], outcome(lambda: parse_checkpoint(one["text"]), NoteError), "CHECKPOINT_MALFORMED")
    for one in vectors["origins"]:
        run.same(one["origin"], parse_origin(one["origin"]), (one["log_name"], one["tenant_id"], one["epoch"]))
    for origin in vectors["malformed_origins"]:
        run.same(origin, outcome(lambda: parse_origin(origin), NoteError), "CHECKPOINT_MALFORMED")


def tlog_proofs(run):
    vectors = run.load("tlog-proof.json")
    for one in vectors["valid"]:
        digest = hashlib.sha256(one["record"].encode()).digest()
        index, (origin, size, _), _ = verify_proof(one["proof"], digest, [Key(key) for key in one["keys"]])
        run.same(one["name"], (index, size, origin), (one["index"], one["size"], one["origin"]))
    for one in vectors["refused"]:
        digest, keys = bytes.fromhex(one["record_hash"]), [Key(key) for key in one["keys"]]
        run.same(one["name"], outcome(lambda: verify_proof(one["proof"], digest, keys), NoteError), one["code"])


def receipts(run):
    vectors = run.load("receipts.json")
    for one in vectors["receipts"]:
        keys = [Key(key) for key in one["keys"]]
        kept_of = functools.partial(_kept_of, keys, one.get("given", []))
        result = verify_receipt(base64.b64decode(one["receipt"]), keys, kept_of)[0]
        found = {name: result[name] for name in one["expect"]}
        found["findings"] = _places(result)
        run.same(one["name"], found, one["expect"])


def _kept_of(keys, given, origin, find, ring):
    return read_kept(origin, keys, [], given, find, ring)


def _places(result):
    return sorted({_place(**finding) for finding in result["findings"]})


def _place(code, sequence_number, epoch=None, found=None):
    if epoch is not None:
        return f"{code}@{epoch}/{'' if sequence_number is None else sequence_number}"
    return code if sequence_number is None else f"{code}@{sequence_number}"


def sealed(run):
    vectors = run.load("sealed.json")
    for one in vectors["openings"]:
        # Parse the value with the strict parser, so that its numbers are floats.
        content = canonical(parse(json.dumps([one["pointer"], one["value"]]))).encode()
        digest = hashlib.sha256(b"tallystick/sealed/v1\0" + bytes.fromhex(one["salt"]) + content)
        run.same(one["name"], digest.hexdigest() == one["commitment"], one["opens"])


def terms(run):
    vectors = run.load("terms.json")
    scope = vectors["scope"]
    for one in vectors["events"]:
        event = one["event"]
        for kind, found in (("field", field_terms(event)), ("text", search_terms(event))):
            run.same(f"{one['name']}: {kind}s", sorted(found, key=_utf16), one[f"{kind}s"])
            run.same(f"{one['name']}: {kind}_hashes", stored_hashes(found, **scope), one[f"{kind}_hashes"])
    for one in vectors["hashes"]:
        run.same(one["term"], term_hash(**{key: one[key] for key in one if key != "hash"}), one["hash"])


def _utf16(text):
    return text.encode("utf-16-be")


def bundles(run):
    vectors = run.load("bundles/index.json")
    for one in vectors["bundles"]:
        path = os.path.join(run.folder, "bundles", one["file"])
        with open(path, "rb") as file:
            result = verify_bundle(file, [Key(key) for key in one["keys"]])[0]
        found = {name: result[name] for name in one["expect"] if name != "findings"}
        found["findings"] = _places(result)
        run.same(one["file"], found, {**one["expect"], "findings": sorted(one["expect"]["findings"])})


def selections(run):
    vectors = run.load("selections/index.json")
    for one in vectors["cells"]:
        # Parse the value with the strict parser, so that its numbers are floats.
        run.same(json.dumps(one["value"]), cell(parse(json.dumps(one["value"]))), one["cell"])
    for one in vectors["selections"]:
        with open(os.path.join(run.folder, "selections", one["file"]), "rb") as file:
            data = file.read()
        keys = [Key(key) for key in one["keys"]]
        try:
            result = verify_selection(data, keys, functools.partial(_kept_of, keys, one.get("given", [])))[0]
            found = {name: result[name] for name in one["expect"] if name != "findings"}
            found["findings"] = _places(result)
        except Malformed:
            found = {"refused": "EVIDENCE_MALFORMED"}
        expected = dict(one["expect"])
        if "findings" in expected:
            expected["findings"] = sorted(expected["findings"])
        run.same(f"{one['file']} {one['name']}", found, expected)
