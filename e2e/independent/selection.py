"""Exports with evidence: spec/selection.md."""

import hashlib
import re

from archive import Malformed, read_archive
from checkpoints import Checkpoint, contradiction
from notes import NoteError, decode_base64, parse_checkpoint, parse_note, parse_origin, tenant_pattern
from records import is_integer, read_record
from rotations import Malformed as RotationMalformed
from rotations import Rotation, TrustedKeys
from strict_json import JsonError, compact, parse
from table import Comparison, line_of, shown_record
from tree import Multiproof, ProofError, leaf_hash

BEGIN = b"PK\x03\x04"
_names = ("manifest", "checkpoint", "multiproof.txt", "records.jsonl", "events.csv")
_longest_text = 1 << 20
_longest_line = 2_097_152
_most_findings = 1_000
_nothing_shown = {"CHECKPOINT_UNTRUSTED", "NOTHING_COVERED"}
_uuid = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_hash = re.compile("[0-9a-f]{64}")
_time = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_withheld = {
    "tenant_id": tenant_pattern,
    "audit_id": _uuid,
    "previous_hash": _hash,
    "record_hash": _hash,
    "ingested_at": _time,
}
_numbers = {"epoch": 1, "sequence_number": 0}
_marks = {"is_sensitive", "redacted", "damaged"}


def _short_text(data, name):
    if len(data) > _longest_text:
        raise Malformed(f"{name} is too long")
    return _text(data, name)


def _text(data, name):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"{name} is not UTF-8") from error


def _lines(data, name):
    """The lines of a file, without U+000A."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        if end < 0 or end + 1 - at > _longest_line:
            raise Malformed(f"{name} ends within a line, or has a line that is too long")
        yield _text(data[at:end], name)
        at = end + 1


class _Manifest:
    def __init__(self, text):
        try:
            value = parse(text)
        except JsonError as error:
            raise Malformed("manifest is not JSON") from error
        names = ["tallystick_selection", "origin", "epochs", "rotations"]
        if not isinstance(value, dict) or list(value) != names:
            raise Malformed("manifest has other members")
        if value["tallystick_selection"] != 1 or value["tallystick_selection"] is True:
            raise Malformed("manifest is of another version")
        try:
            self.origin = value["origin"] if isinstance(value["origin"], str) else ""
            _, self.tenant_id, self.epoch = parse_origin(self.origin)
            self.rotations = [Rotation(one) for one in self._list(value["rotations"])]
        except (NoteError, RotationMalformed) as error:
            raise Malformed("manifest has a malformed origin or rotation") from error
        self.epochs = []
        for pair in self._list(value["epochs"]):
            if not isinstance(pair, list) or len(pair) != 2 or not all(is_integer(one, 1) for one in pair):
                raise Malformed("manifest has malformed epochs")
            if pair[0] >= 2**31 or (self.epochs and pair[0] <= self.epochs[-1][0]):
                raise Malformed("the epochs do not ascend, or are too high")
            self.epochs.append((int(pair[0]), int(pair[1])))
        if compact(value) + "\n" != text:
            raise Malformed("manifest is not in its form")

    @staticmethod
    def _list(value):
        if not isinstance(value, list):
            raise Malformed("manifest is malformed")
        return value

    def epoch_of_lines(self):
        """The epoch of each line. Lines beyond the numbers are of the last epoch."""
        epoch = 1
        for epoch, count in self.epochs:
            for _ in range(count):
                yield epoch
        while True:
            yield epoch


def _read_withheld(text):
    """What is shown of a record without its bytes, or None."""
    try:
        value = parse(text)
    except JsonError:
        return None
    shown = value.get("withheld")
    if list(value) != ["withheld"] or not isinstance(shown, dict):
        return None
    for name, one in shown.items():
        if name in _withheld:
            fits = isinstance(one, str) and _withheld[name].fullmatch(one)
        elif name in _numbers:
            fits = is_integer(one, _numbers[name])
        else:
            fits = name in _marks and one is True
        if not fits:
            return None
    is_whole = set(shown) >= _withheld.keys() | _numbers.keys()
    says_why = "redacted" in shown or "damaged" in shown
    return shown if is_whole and says_why and compact(value) == text else None


class _Records:
    """Checks the records of a selection, in ascending order."""

    def __init__(self, manifest, checkpoint, proof, find):
        self._tenant_id = manifest.tenant_id
        self._epoch = manifest.epoch
        self._checkpoint = checkpoint
        self._proof = proof
        self._find = find
        self._tree = Multiproof(checkpoint.size)
        self._lost = False  # the hashes of the proof do not fit the records: no root can be computed any more
        self._last = None  # (epoch, sequence number, hash, time or None)
        self.counts = {"records": 0, "verified": 0, "hash_only": 0, "newer_than_checkpoint": 0, "in_other_epochs": 0}

    def skip(self):
        self.counts["records"] += 1
        self._lost = True
        self._find("RECORD_NOT_CANONICAL", None)

    def take(self, epoch, sequence, digest, record, withheld):
        self.counts["records"] += 1
        if (epoch, sequence) >= (self._epoch, self._checkpoint.size):
            self._find("MANIFEST_MISMATCH", sequence)
        hashes = self._hashes(self._before(epoch, sequence))
        if self._last is not None and (epoch, sequence) <= self._last[:2]:
            self._find("SEQUENCE_DUPLICATE", sequence)
            return
        if record is not None and not record["tenant_id"] == record["event"].get("tenant_id") == self._tenant_id:
            self._find("TENANT_MISMATCH", sequence)
            record = None
        if withheld is not None and withheld["tenant_id"] != self._tenant_id:
            self._find("TENANT_MISMATCH", sequence)
        self._compare_neighbours(epoch, sequence, record, withheld)
        self._prove(epoch, sequence, digest, withheld is None, hashes)
        self._last = (epoch, sequence, digest, None if record is None else record["ingested_at"])

    def _compare_neighbours(self, epoch, sequence, record, withheld):
        if self._last is None or self._last[0] != epoch:
            return
        shown = withheld if record is None else record
        if self._last[1] == sequence - 1 and shown is not None and shown["previous_hash"] != self._last[2].hex():
            self._find("CHAIN_LINK_BROKEN", sequence)
        if record is not None and self._last[3] is not None and record["ingested_at"] < self._last[3]:
            self._find("TIME_REGRESSION", sequence)

    def _in_tree(self, epoch, sequence):
        return epoch == self._epoch and sequence < self._checkpoint.size

    def _before(self, epoch, sequence):
        try:
            return self._tree.hashes_before(sequence) if self._in_tree(epoch, sequence) else 0
        except ProofError:
            return 0

    def _hashes(self, count):
        hashes = []
        for _ in range(count):
            line = next(self._proof, None)
            if line is None:
                break
            hashes.append(decode_base64(line) or b"")
        return hashes

    def _prove(self, epoch, sequence, digest, has_bytes, hashes):
        if not self._in_tree(epoch, sequence):
            self.counts["newer_than_checkpoint" if epoch == self._epoch else "in_other_epochs"] += 1
            return
        self.counts["verified" if has_bytes else "hash_only"] += 1
        if self._lost:
            return
        try:
            self._tree.add(sequence, leaf_hash(digest), hashes)
        except ProofError:
            self._mismatch()

    def _mismatch(self):
        self._lost = True
        self._find("CHECKPOINT_ROOT_MISMATCH", self._checkpoint.last)

    @property
    def covered(self):
        return self.counts["verified"] + self.counts["hash_only"]

    def finish(self):
        if self._lost:
            return
        hashes = self._hashes(self._tree.hashes_after()) if self.covered > 0 else []
        is_over = next(self._proof, None) is None
        try:
            root = self._tree.root(hashes) if self.covered > 0 else self._checkpoint.root
        except ProofError:
            root = None
        if not is_over or root != self._checkpoint.root:
            self._mismatch()


def _compare_lines(manifest, files, records, find, is_enough):
    table = Comparison(_lines(files["events.csv"], "events.csv"), find)
    epochs = manifest.epoch_of_lines()
    for text in _lines(files["records.jsonl"], "records.jsonl"):
        epoch = next(epochs)
        withheld = _read_withheld(text) if text.startswith('{"withheld":') else None
        record = None if text.startswith('{"withheld":') else read_record(text)
        shown = record or withheld
        if shown is None:
            records.skip()
        else:
            sequence = int(shown["sequence_number"])
            digest = hashlib.sha256(text.encode()).digest() if record else bytes.fromhex(withheld["record_hash"])
            records.take(epoch, sequence, digest, record, withheld)
            if withheld is not None and "damaged" in withheld:
                find("RECORD_NOT_CANONICAL", sequence)
            if withheld is not None and withheld["epoch"] != epoch:
                find("MANIFEST_MISMATCH", sequence)
            else:
                table.expect(line_of(withheld or shown_record(record, digest, epoch)))
        if is_enough():
            return
    if records.counts["records"] != sum(count for _, count in manifest.epochs):
        find("MANIFEST_MISMATCH", None)
    table.finish()
    records.finish()


def verify_selection(data, keys, kept_of=lambda origin, find, ring: []):
    """
    Returns the result that spec/selection.md defines, and the notes of two checkpoints that contradict each other, or None. `data` is
    the archive. `kept_of` is that of `verify_bundle`. Raises Malformed for an archive that must be refused.
    """
    files = read_archive(data, _names)
    manifest = _Manifest(_short_text(files["manifest"], "manifest"))
    note = _short_text(files["checkpoint"], "checkpoint")
    try:
        if parse_checkpoint(parse_note(note)[0])[0] != manifest.origin:
            raise Malformed("the checkpoint is of another log")
    except NoteError as error:
        raise Malformed("the checkpoint is malformed") from error
    findings = []

    def find(code, place):
        findings.append((code, place))

    ring = TrustedKeys(manifest.origin, keys)
    for rotation in manifest.rotations:
        ring.follow(rotation, find)
    checkpoint = Checkpoint(note, ring.keys, manifest.origin, ring=ring)
    if checkpoint.forged:
        find("CHECKPOINT_SIGNATURE_INVALID", checkpoint.last)
    if checkpoint.retired:
        find("CHECKPOINT_KEY_RETIRED", checkpoint.last)
    kept = kept_of(manifest.origin, find, ring)
    if not checkpoint.trusted and not findings:
        find("CHECKPOINT_UNTRUSTED", checkpoint.last)
    roots = {}
    for one in (checkpoint, *kept, *ring.handovers):
        if roots.setdefault(one.size, one.root) != one.root:
            find("CHECKPOINT_INCONSISTENT", one.last)
    proof = _lines(files["multiproof.txt"], "multiproof.txt")
    records = _Records(manifest, checkpoint, proof, find)
    _compare_lines(manifest, files, records, find, lambda: len(findings) >= _most_findings)
    if checkpoint.trusted and records.covered == 0 and not findings:
        find("NOTHING_COVERED", None)
    not_compared = [size for size in dict.fromkeys(one.size for one in kept) if size != checkpoint.size]
    result = {
        "verdict": _verdict(findings, manifest.epoch),
        "tenant_id": manifest.tenant_id,
        **records.counts,
        "omissions": "not covered",
        "checkpoint_size": checkpoint.size,
        "trust": {"source": "given" if keys else "none", "keys": [key.text for key in checkpoint.signed_by]},
        "findings": [{"code": code, "sequence_number": place} for code, place in findings],
        **({"rotations": ring.followed} if ring.followed else {}),
        **({"not_compared": not_compared} if not_compared else {}),
    }
    return result, contradiction([*kept, checkpoint]) or ring.two_successors


def _verdict(findings, epoch):
    if any(code not in _nothing_shown for code, _ in findings):
        return "broken"
    if findings:
        return "not_verifiable"
    return "recovered_selection" if epoch > 1 else "verified_selection"
