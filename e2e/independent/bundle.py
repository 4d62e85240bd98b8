"""Bundles: spec/bundle.md. The file is read as a stream, line by line."""

import hashlib
import json
import re

from checkpoints import Checkpoint, Links, contradiction, distinct
from closed import ClosedEpochs
from content import Refused, content, damaged, lines
from notes import Key, NoteError, decode_base64, parse_origin
from records import Chain, is_integer
from rotations import Malformed, Rotation, TrustedKeys
from strict_json import JsonError, parse
from tree import ProofError, Tree, check_consistency, check_inclusion, leaf_hash

GOOD = ("verified", "recovered", "verified_partial", "recovered_partial")
_most_ranges = 1_000
_hex = re.compile("[0-9a-f]{64}")
_header_members = {"tallystick_bundle", "tenant_id", "origin", "epoch", "first", "last", "complete"}


def _object(text):
    try:
        value = parse(text)
    except JsonError as error:
        raise damaged("a line is not strict JSON") from error
    if not isinstance(value, dict):
        raise damaged("a line is not an object")
    return value


def _hashes(value):
    if not isinstance(value, list) or len(value) > 63:
        raise damaged("malformed hashes")
    hashes = [decode_base64(one) if isinstance(one, str) else None for one in value]
    if any(one is None or len(one) != 32 for one in hashes):
        raise damaged("a malformed hash")
    return hashes


def _members(value, names):
    if not isinstance(value, dict) or set(value) != names:
        raise damaged("a member is missing or unknown")
    return value


class _Verification:
    def __init__(self, keys, kept_of, kept_of_closed, refuse_others):
        self.keys = keys
        self.refuse_others = refuse_others
        self.kept_of = kept_of
        self.kept_of_closed = kept_of_closed
        self.kept = []
        self.has_kept = False
        self.ring = None  # TrustedKeys
        self.compared = []  # those of `trusted`, and the last ones under keys that were rotated out
        self.rotation = None  # the last rotation line
        self.links = Links()
        self.trusted = []  # the trusted checkpoints of the file and from outside, once all were read
        self.mismatched = set()
        self.tenant_id = None
        self.header = None
        self.checkpoints = []
        self.stage = 0  # 1 checkpoints, 2 keys and consistency, 3 records, 4 records of closed epochs
        self.records = 0
        self.record_lines = 0
        self.closed = None  # ClosedEpochs
        self.section = None  # of the closed epoch whose records follow; None if the chain did not close it
        self.lines = 0
        self.ended = False
        self.waiting = None  # in an incomplete bundle: the record whose proof is the next line
        self.findings = []
        self.tree = Tree()
        self.digest = hashlib.sha256()
        self.chain = None
        self.genesis = None  # text of the record at position 0
        self.covered = False
        self.ranges = []  # of an incomplete bundle: one more than is listed
        self.last_range = None
        self.positions = 0

    def find(self, code, place, epoch=None):
        if (code, place, epoch) not in self.findings:
            self.findings.append((code, place, epoch))

    def line(self, raw):
        if self.ended:
            raise damaged("something follows the end")
        if not raw.endswith(b"\n"):
            raise Refused("BUNDLE_TRUNCATED", "the last line does not end")
        try:
            text = raw[:-1].decode("utf-8")
        except UnicodeDecodeError as error:
            raise damaged("a line is not UTF-8") from error
        if self.header is None:
            self._read_header(text)
        elif text.startswith('{"record":') and text.endswith("}") and len(text) > len('{"record":}'):
            self._enter(max(self.stage, 3))
            self._no_waiting()
            self.record_lines += 1
            self.records += self.stage == 3
            body = text[len('{"record":') : -1]
            if self.stage == 4:
                if self.section is not None:
                    self.section.take(body)
            elif self.header["complete"]:
                digest, place, found = self.chain.check(body)
                for finding in found:
                    self.find(*finding)
                if place == 0:
                    self.genesis = body
                    self.closed.read_from(body)
                self.tree.append(leaf_hash(digest))
                self._compare_roots()
                self.covered = self.covered or place < self.checkpoints[0].size
            else:
                self.waiting = body
        else:
            self._other(text)
        if not self.ended:
            self.lines += 1
            self.digest.update(raw)

    def _read_header(self, text):
        header = _object(text)
        version = header.get("tallystick_bundle")
        if isinstance(version, float) and version.is_integer() and version not in (1, 2, 3):
            raise Refused("BUNDLE_UNSUPPORTED", "another version of the format")
        _members(header, _header_members)
        if version not in (1, 2, 3) or version is True or not isinstance(header["complete"], bool):
            raise damaged("malformed header")
        if version == 2 and not header["complete"]:
            raise damaged("a part with closed epochs")
        if not all(is_integer(header[name]) for name in ("epoch", "first", "last")):
            raise damaged("malformed header")
        if header["first"] > header["last"] or (header["complete"] and header["first"] != 0):
            raise damaged("malformed header")
        try:
            _, tenant, epoch = parse_origin(header["origin"] if isinstance(header["origin"], str) else "")
        except NoteError as error:
            raise damaged("malformed origin") from error
        if tenant != header["tenant_id"] or epoch != header["epoch"]:
            raise damaged("the origin names another chain")
        self.header = header
        self.tenant_id = tenant
        self.stage = 1
        self.chain = Chain(tenant, header["origin"], header["complete"])
        self.ring = TrustedKeys(header["origin"], self.keys)
        self.refuse_others(header["origin"])
        # In format 3, rotations come first: they decide which keys may have signed a kept checkpoint.
        if version < 3:
            self._read_kept()
        self.closed = ClosedEpochs(tenant, header["origin"], self.kept_of_closed, self.find)
        self.epoch = epoch

    def _read_kept(self):
        if not self.has_kept:
            self.has_kept = True
            self.kept = self.kept_of(self.header["origin"], self.find, self.ring)

    def _enter(self, stage):
        if stage < self.stage or (stage > 1 and not self.checkpoints):
            raise damaged("a line is out of order")
        if self.stage == 1 and stage > 1:
            self._check_checkpoints()
        self.stage = stage

    def _no_waiting(self):
        if self.waiting is not None:
            raise damaged("a record has no proof")

    def _other(self, text):
        value = _object(text)
        if len(value) != 1:
            raise damaged("a line has one member")
        ((kind, content),) = value.items()
        if kind == "checkpoint" and isinstance(content, str):
            self._enter(1)
            self._read_kept()
            try:
                checkpoint = Checkpoint(content, self.ring.keys, self.header["origin"], ring=self.ring)
            except NoteError as error:
                raise damaged("a malformed checkpoint") from error
            if self.checkpoints and checkpoint.size > self.checkpoints[-1].size:
                raise damaged("checkpoints are newest first")
            self.checkpoints.append(checkpoint)
        elif kind == "key" and isinstance(content, str):
            self._enter(2)
            try:
                key = Key(content)
            except NoteError as error:
                raise damaged("a malformed key") from error
            if key.text != content:
                raise damaged("white space around a key")
        elif kind == "consistency":
            self._enter(2)
            self._check_consistency(_members(content, {"from", "to", "hashes"}))
        elif kind == "proof":
            self._check_proof(_members(content, {"index", "hashes"}))
        elif kind == "rotation" and self.header["tallystick_bundle"] == 3:
            self._follow(content)
        elif kind == "closed" and self.header["tallystick_bundle"] in (2, 3) and self.header["complete"]:
            self._enter(4)
            self._begin_closed(content)
        elif kind == "end":
            self._enter(max(self.stage, 3))
            self._no_waiting()
            self._check_end(_members(content, {"records", "lines", "sha256"}))
        else:
            raise damaged("an unknown kind of line")

    def _follow(self, content):
        try:
            rotation = Rotation(content)
        except Malformed as error:
            raise damaged("a malformed rotation") from error
        if self.stage != 1 or self.checkpoints:
            raise damaged("a line is out of order")
        if rotation.log != parse_origin(self.header["origin"])[0]:
            raise damaged("a rotation of another log")
        if self.rotation is not None and self.rotation.new.public_key != rotation.old.public_key:
            raise damaged("a rotation that does not follow the one before")
        self.rotation = rotation
        self.ring.follow(rotation, self.find)

    def _begin_closed(self, origin):
        own = parse_origin(self.header["origin"])
        try:
            log, tenant, epoch = parse_origin(origin if isinstance(origin, str) else "")
        except NoteError as error:
            raise damaged("malformed origin") from error
        if (log, tenant) != own[:2] or epoch >= self.epoch:
            raise damaged("a closed epoch of another chain or out of order")
        self.epoch = epoch
        self._end_closed()
        self.section = self.closed.section(epoch)

    def _end_closed(self):
        if self.section is not None:
            self.section.finish()
            self.section = None

    def _check_checkpoints(self):
        for one in self.checkpoints:
            if one.forged:
                self.find("CHECKPOINT_SIGNATURE_INVALID", one.last)
            if one.retired:
                self.find("CHECKPOINT_KEY_RETIRED", one.last)
        own = [one for one in self.checkpoints if one.trusted]
        # Of two equal ones the one of the file stays: only this one must be reached.
        self.trusted = distinct([*self.kept, *own]) if self.kept else own
        self.compared = distinct([*self.ring.handovers, *self.trusted]) if self.ring.handovers else self.trusted
        roots = {}
        for one in self.compared:
            if roots.setdefault(one.size, one.root) != one.root:
                self.find("CHECKPOINT_INCONSISTENT", one.last)
        if self.header["complete"]:
            self._compare_roots()

    def _check_consistency(self, content):
        first, second, hashes = content["from"], content["to"], _hashes(content["hashes"])
        sizes = [one.size for one in self.checkpoints]
        if not is_integer(first, 1) or not is_integer(second, 1) or first > second:
            raise damaged("malformed consistency proof")
        if first not in sizes or second not in sizes:
            raise damaged("a consistency proof between unknown sizes")
        trusted = {one.size: one for one in reversed(self.checkpoints) if one.trusted}
        if first in trusted and second in trusted:
            before, after = trusted[int(first)], trusted[int(second)]
            try:
                check_consistency(before.size, after.size, hashes, before.root, after.root)
                self.links.add(before.size, after.size)
            except ProofError:
                self.find("CHECKPOINT_INCONSISTENT", after.last)

    def _check_proof(self, content):
        if self.waiting is None:
            raise damaged("a proof without its record")
        if not is_integer(content["index"]):
            raise damaged("malformed proof")
        hashes = _hashes(content["hashes"])
        text, self.waiting = self.waiting, None
        digest, place, found = self.chain.check(text, int(content["index"]))
        if place == 0:
            self.genesis = text
        for finding in found:
            self.find(*finding)
        newest = self.checkpoints[0]
        self.covered = self.covered or place < newest.size
        if newest.trusted:
            self._cover(place)
            try:
                check_inclusion(place, newest.size, leaf_hash(digest), hashes, newest.root)
            except ProofError:
                self.find("CHECKPOINT_ROOT_MISMATCH", place)

    def _cover(self, place):
        last = self.last_range
        if last is not None and place <= last[1]:
            return
        self.positions += 1
        if last is not None and place == last[1] + 1:
            last[1] = place
            return
        self.last_range = [place, place]
        if len(self.ranges) <= _most_ranges:
            self.ranges.append(self.last_range)

    def _part(self, size):
        missing, following = [], 0
        for first, last in self.ranges:
            if first > following:
                missing.append([following, first - 1])
            following = last + 1
        if len(self.ranges) <= _most_ranges and following < size:
            missing.append([following, size - 1])
        return {
            "covered": self.ranges[:_most_ranges],
            "missing": missing[:_most_ranges],
            "missing_records": size - self.positions,
        }

    def _compare_roots(self):
        for one in self.compared:
            if one.size == self.tree.size and one.root != self.tree.root():
                self._mismatch(one)

    def _mismatch(self, one):
        self.mismatched.add(one)
        self.find("CHECKPOINT_ROOT_MISMATCH", one.last)

    def _check_end(self, content):
        if not is_integer(content["records"]) or not is_integer(content["lines"]):
            raise damaged("malformed end")
        if not isinstance(content["sha256"], str) or not _hex.fullmatch(content["sha256"]):
            raise damaged("malformed end")
        if content["records"] != self.record_lines or content["lines"] != self.lines:
            raise damaged("a wrong count")
        if content["sha256"] != self.digest.hexdigest():
            raise damaged("a wrong digest")
        self.ended = True

    def finish(self):
        if not self.ended:
            raise Refused("BUNDLE_TRUNCATED", "there is no end line")
        newest = self.checkpoints[0]
        if self.header["complete"]:
            for one in self.compared:
                if one.size <= self.tree.size:
                    continue
                if self.chain.next >= one.size:
                    self._mismatch(one)
                elif one in self.checkpoints:
                    self.find("HEAD_MISMATCH", self.chain.next)
        self._end_closed()
        if self.findings:
            verdict = "broken"
        elif not newest.trusted:
            verdict = "not_verifiable"
            self.find("CHECKPOINT_UNTRUSTED", newest.last)
        elif not self.covered:
            verdict = "not_verifiable"
            self.find("NOTHING_COVERED", None)
        else:
            verdict = "recovered" if self.header["epoch"] > 1 else "verified"
        good = verdict in ("verified", "recovered")
        part = self._part(newest.size) if good and not self.header["complete"] else None
        return {
            "verdict": verdict if part is None else verdict + "_partial",
            **(part or {}),
            "tenant_id": self.tenant_id,
            "records": self.records,
            "covered_to": newest.last if good else None,
            "unsigned_tail": self.records - newest.size if good and self.header["complete"] else 0,
            "head": self.chain.head if self.records else None,
            "trust": _trust(self.keys, newest.signed_by),
            "findings": [_finding(*found) for found in self.findings],
            **self.closed.report(),
            **({"rotations": self.ring.followed} if self.ring.followed else {}),
            **self._not_compared(newest),
        }

    def _not_compared(self, newest):
        def compared(size):
            if self.header["complete"]:
                return size <= self.tree.size
            return newest.trusted and self.links.connect(size, newest.size)

        sizes = [size for size in dict.fromkeys(one.size for one in self.kept) if not compared(size)]
        return {"not_compared": sizes} if sizes else {}

    def contradiction(self):
        return contradiction(self.trusted, self.tree.size, self.mismatched) or self.ring.two_successors


def _finding(code, place, epoch):
    return {"code": code, "sequence_number": place, **({} if epoch is None else {"epoch": epoch})}


def _trust(given, signed_by):
    return {"source": "given" if given else "none", "keys": [key.text for key in signed_by]}


def verify_bundle(
    file,
    keys,
    kept_of=lambda origin, find, ring: [],
    kept_of_closed=lambda origin: [],
    refuse_others=lambda origin: None,
    on_good=lambda result, note, genesis, keys: None,
):
    """
    Returns the result that spec/bundle.md defines, and the notes of two checkpoints that contradict each other, or None.
    `kept_of` gives the kept checkpoints of an origin, once the header was read; its exceptions are passed on.
    `kept_of_closed` gives those of an earlier epoch. `refuse_others` raises if the user gave a checkpoint of another origin.
    `on_good` is called with a result of a good verdict, the note of the first checkpoint, the text of the record at position 0
    (None if the file does not have it) and the trusted keys.
    """
    state = _Verification(keys, kept_of, kept_of_closed, refuse_others)
    try:
        for raw in lines(content(file)):
            state.line(raw)
        result = state.finish()
        if result["verdict"] in GOOD:
            on_good(result, state.checkpoints[0].note, state.genesis, state.ring.keys)
        return result, state.contradiction()
    except Refused as refused:
        finding = {"code": refused.code, "sequence_number": None, "found": str(refused)}
    if state.header is not None:
        # A checkpoint that the user gave and that no trusted key signed is an error of its own, also for a damaged file.
        state._read_kept()
    result = {
        "verdict": "not_verifiable",
        "tenant_id": state.tenant_id,
        "records": 0,
        "covered_to": None,
        "unsigned_tail": 0,
        "head": None,
        "trust": _trust(keys, []),
        "findings": [finding],
    }
    return result, None


def to_line(result):
    return json.dumps(result, ensure_ascii=False, separators=(",", ":"))
