"""Receipts: spec/log.md, "Receipts"."""

import hashlib

from checkpoints import Checkpoint, contradiction
from notes import NoteError, decode_base64, open_note, parse_checkpoint, parse_note, parse_origin, parse_proof, verify_proof
from records import read_record
from rotations import Malformed, Rotation, TrustedKeys
from strict_json import JsonError, parse

BEGIN = b"c2sp.org/tlog-proof@v1\n"
longest = 4 << 20
_rotation_name = "tallystick/key-rotation/v1"

_codes = {
    "NOTE_UNVERIFIED": "CHECKPOINT_UNTRUSTED",
    "SIGNATURE_INVALID": "CHECKPOINT_SIGNATURE_INVALID",
    "PROOF_INVALID": "CHECKPOINT_ROOT_MISMATCH",
}


class _Fault(Exception):
    """The first thing that is wrong."""


def _parts(data, record):
    """Returns (text, index, note, origin, size, record bytes, rotations), or None for what is not a receipt."""
    try:
        text = data.decode("utf-8")
        index, _, note = parse_proof(text)
        origin, size, _ = parse_checkpoint(parse_note(note)[0])
        stripped, rotations = _split_rotations(note, parse_origin(origin)[0])
        parse_note(stripped)
        text = text.removesuffix(note) + stripped
    except (UnicodeDecodeError, NoteError, Malformed):
        return None
    if record is None:
        line = text.split("\n")[1]
        if not line.startswith("extra "):
            return None
        record = decode_base64(line[6:])
    return text, index, stripped, origin, size, record, rotations


def _split_rotations(note, log):
    """Returns the note without the lines that carry rotations, and the rotations. Raises Malformed."""
    text, signatures = parse_note(note)
    lines = note[len(text) + 1 :].split("\n")
    kept, rotations = [], []
    for line, (name, key_id, data) in zip(lines, signatures):
        if name != _rotation_name:
            kept.append(line + "\n")
            continue
        try:
            if hashlib.sha256(data).digest()[:4] != key_id:
                raise Malformed
            rotation = Rotation(parse(data.decode("utf-8")))
        except (UnicodeDecodeError, JsonError) as error:
            raise Malformed from error
        if rotation.log != log or (rotations and rotations[-1].new.public_key != rotation.old.public_key):
            raise Malformed
        rotations.append(rotation)
    return f"{text}\n{''.join(kept)}", rotations


def verify_receipt(data, keys, kept_of=lambda origin, find, ring: [], record=None):
    """
    Returns the result that spec/log.md defines, and the notes of two checkpoints that contradict each other, or None. `data` is
    None for what is too long or damaged. `kept_of` is that of `verify_bundle`.
    """
    result = {
        "verdict": "not_verifiable",
        "tenant_id": None,
        "sequence_number": None,
        "record_hash": None,
        "checkpoint_size": None,
        "trust": {"source": "given" if keys else "none"},
        "findings": [],
    }
    parts = None if data is None else _parts(data, record)
    if parts is None:
        result["findings"] = [{"code": "RECEIPT_MALFORMED", "sequence_number": None}]
        return result, None
    text, index, note, origin, size, record, rotations = parts
    findings = []

    def find(code, place):
        if (code, place) not in findings:
            findings.append((code, place))

    ring = TrustedKeys(origin, keys)
    for rotation in rotations:
        ring.follow(rotation, find)
    kept = kept_of(origin, find, ring)
    digest = hashlib.sha256(record).digest()
    result.update(sequence_number=index, record_hash=digest.hex())
    fork = None
    if not findings:
        try:
            fork = _check(text, digest, record, origin, ring, kept)
        except _Fault as fault:
            findings = [(str(fault), index)]
    if fork is not None:
        findings = [("CHECKPOINT_INCONSISTENT", index)]
    result["findings"] = [{"code": code, "sequence_number": place} for code, place in findings]
    if findings:
        untrusted = findings[0][0] == "CHECKPOINT_UNTRUSTED"
        result["verdict"] = "not_verifiable" if untrusted else "broken"
        return result, fork or ring.two_successors
    _, tenant, epoch = parse_origin(origin)
    result.update(verdict="recovered" if epoch > 1 else "verified", tenant_id=tenant, checkpoint_size=size)
    if ring.followed:
        result["rotations"] = ring.followed
    others = [other for other in dict.fromkeys(one.size for one in kept) if other != size]
    if others:
        result["not_compared"] = others
    return result, None


def _check(text, digest, record, origin, ring, kept):
    """Returns the notes of two checkpoints that contradict each other, or None. Raises _Fault."""
    try:
        note = parse_proof(text)[2]
        _, size, root = parse_checkpoint(parse_note(note)[0])
        if not ring.may_have_signed(open_note(note, ring.keys)[1], size, root):
            raise _Fault("CHECKPOINT_KEY_RETIRED")
        index, _, _ = verify_proof(text, digest, ring.keys)
    except NoteError as error:
        raise _Fault(_codes[error.code]) from error
    fork = contradiction([*kept, Checkpoint(parse_proof(text)[2], [], origin, accepted=True)])
    if fork is not None:
        return fork
    if any(one.size == size and one.root != root for one in ring.handovers):
        raise _Fault("CHECKPOINT_INCONSISTENT")
    try:
        content = read_record(record.decode("utf-8"))
    except UnicodeDecodeError:
        content = None
    if content is None:
        raise _Fault("RECORD_NOT_CANONICAL")
    if content["sequence_number"] != index:
        raise _Fault("SEQUENCE_GAP")
    tenant = parse_origin(origin)[1]
    if content["tenant_id"] != tenant or content["event"].get("tenant_id") != tenant:
        raise _Fault("TENANT_MISMATCH")
    return None
