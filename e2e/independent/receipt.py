"""Receipts: spec/log.md, "Receipts"."""

import hashlib

from checkpoints import Checkpoint, contradiction, keys_of
from notes import NoteError, decode_base64, parse_checkpoint, parse_note, parse_origin, parse_proof, verify_proof
from records import read_record

BEGIN = b"c2sp.org/tlog-proof@v1\n"
longest = 4 << 20

_codes = {
    "NOTE_UNVERIFIED": "CHECKPOINT_UNTRUSTED",
    "SIGNATURE_INVALID": "CHECKPOINT_SIGNATURE_INVALID",
    "PROOF_INVALID": "CHECKPOINT_ROOT_MISMATCH",
}


class _Fault(Exception):
    """The first thing that is wrong."""


def _parts(data, record):
    """Returns (text, index, note, origin, size, record bytes), or None for what is not a receipt."""
    try:
        text = data.decode("utf-8")
        index, _, note = parse_proof(text)
        origin, size, _ = parse_checkpoint(parse_note(note)[0])
        parse_origin(origin)
    except (UnicodeDecodeError, NoteError):
        return None
    if record is None:
        line = text.split("\n")[1]
        if not line.startswith("extra "):
            return None
        record = decode_base64(line[6:])
    return text, index, note, origin, size, record


def verify_receipt(data, keys, kept_of=lambda origin, find: [], record=None):
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
    text, index, note, origin, size, record = parts
    findings = []
    kept = kept_of(origin, lambda code, place: findings.append((code, place)))
    digest = hashlib.sha256(record).digest()
    result.update(sequence_number=index, record_hash=digest.hex())
    fork = None
    if not findings:
        try:
            fork = _check(text, digest, record, origin, keys, kept)
        except _Fault as fault:
            findings = [(str(fault), index)]
    if fork is not None:
        findings = [("CHECKPOINT_INCONSISTENT", index)]
    result["findings"] = [{"code": code, "sequence_number": place} for code, place in findings]
    if findings:
        untrusted = findings[0][0] == "CHECKPOINT_UNTRUSTED"
        result["verdict"] = "not_verifiable" if untrusted else "broken"
        return result, fork
    _, tenant, epoch = parse_origin(origin)
    result.update(verdict="recovered" if epoch > 1 else "verified", tenant_id=tenant, checkpoint_size=size)
    others = [other for other in dict.fromkeys(one.size for one in kept) if other != size]
    if others:
        result["not_compared"] = others
    return result, None


def _check(text, digest, record, origin, keys, kept):
    """Returns the notes of two checkpoints that contradict each other, or None. Raises _Fault."""
    try:
        index, _, _ = verify_proof(text, digest, keys_of(origin, keys))
    except NoteError as error:
        raise _Fault(_codes[error.code]) from error
    fork = contradiction([*kept, Checkpoint(parse_proof(text)[2], [], origin, accepted=True)])
    if fork is not None:
        return fork
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
