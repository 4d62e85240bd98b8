"""Verifier keys, signed notes, checkpoints, origins and tlog-proofs: spec/log.md."""

import base64
import re
import unicodedata

import ed25519
from tree import ProofError, check_inclusion, leaf_hash, sha256


class NoteError(ValueError):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


def decode_base64(text):
    """The bytes of padded base64, or None if the text is not their canonical encoding."""
    if not re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text):
        return None
    data = base64.b64decode(text)
    return data if base64.b64encode(data).decode() == text else None


def decode_hex(text, length):
    return bytes.fromhex(text) if re.fullmatch("[0-9a-f]{%d}" % (2 * length), text) else None


def parse_decimal(text):
    """A size or index, or None: no sign, no leading zero, at most 2^53 - 1."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,15}", text):
        return None
    value = int(text)
    return value if value < 2**53 else None


def _is_name(name):
    return name != "" and not any(
        c == "+" or c == "\ufeff" or c.isspace() or unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cc") for c in name
    )


class Key:
    def __init__(self, text):
        self.text = text.strip(" \t\r\n")
        parts = self.text.split("+", 2)
        if len(parts) != 3:
            raise NoteError("KEY_MALFORMED")
        name, key_id, encoded = parts
        material = decode_base64(encoded)
        self.name = name
        self.id = decode_hex(key_id, 4)
        if not _is_name(name) or self.id is None or material is None or len(material) != 33 or material[0] != 1:
            raise NoteError("KEY_MALFORMED")
        self.public_key = material[1:]
        if sha256(name.encode() + b"\n" + material)[:4] != self.id:
            raise NoteError("KEY_MALFORMED")

    @classmethod
    def of(cls, name, public_key):
        material = b"\x01" + public_key
        key_id = sha256(name.encode() + b"\n" + material)[:4]
        return cls(f"{name}+{key_id.hex()}+{base64.b64encode(material).decode()}")


def parse_note(note):
    """Returns (text, [(name, key id, signature)])."""
    malformed = NoteError("NOTE_MALFORMED")
    text, separator, lines = note.rpartition("\n\n")
    text += "\n"
    try:
        size = len(note.encode())
    except UnicodeEncodeError as error:
        raise malformed from error
    if size > 1 << 20 or not separator or not lines.endswith("\n"):
        raise malformed
    if any(c < " " and c != "\n" for c in text):
        raise malformed
    signatures = []
    for line in lines[:-1].split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014" or not _is_name(parts[1]):
            raise malformed
        data = decode_base64(parts[2])
        if data is None or len(data) < 5:
            raise malformed
        signatures.append((parts[1], data[:4], data[4:]))
    if len(signatures) > 100:
        raise malformed
    return text, signatures


def open_note(note, keys):
    """Returns (text, keys that signed it). At least one known key must have signed, and no known key wrongly."""
    text, signatures = parse_note(note)
    signed_by = []
    for name, key_id, signature in signatures:
        for key in keys:
            if key.name == name and key.id == key_id:
                if not ed25519.verify(key.public_key, text.encode(), signature):
                    raise NoteError("SIGNATURE_INVALID")
                if key not in signed_by:
                    signed_by.append(key)
                break
    if not signed_by:
        raise NoteError("NOTE_UNVERIFIED")
    return text, signed_by


def parse_checkpoint(text):
    """Returns (origin, size, root)."""
    lines = text.split("\n")
    if len(lines) == 4 and lines[3] == "" and lines[0] != "":
        size, root = parse_decimal(lines[1]), decode_base64(lines[2])
        if size is not None and root is not None and len(root) == 32:
            return lines[0], size, root
    raise NoteError("CHECKPOINT_MALFORMED")


_log_name = re.compile(r"[a-z0-9](?:[a-z0-9._/-]{0,126}[a-z0-9])?")
tenant_pattern = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")


def parse_origin(text):
    """Returns (log name, tenant, epoch)."""
    parts = text.rsplit("/", 2)
    if len(parts) == 3 and _log_name.fullmatch(parts[0]) and tenant_pattern.fullmatch(parts[1]):
        epoch = parse_decimal(parts[2])
        if epoch:
            return parts[0], parts[1], epoch
    raise NoteError("CHECKPOINT_MALFORMED")


def parse_proof(text):
    """Returns (index, hashes, signed note)."""
    malformed = NoteError("PROOF_MALFORMED")
    top, separator, note = text.partition("\n\n")
    lines = top.split("\n")
    if not separator or lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise malformed
    if lines and lines[0].startswith("extra ") and decode_base64(lines.pop(0)[6:]) is None:
        raise malformed
    if not lines or not lines[0].startswith("index "):
        raise malformed
    index = parse_decimal(lines.pop(0)[6:])
    hashes = [decode_base64(line) for line in lines]
    if index is None or len(hashes) > 63 or any(one is None or len(one) != 32 for one in hashes):
        raise malformed
    return index, hashes, note


def verify_proof(text, record_hash, keys):
    """Checks that the record is in the signed tree. Returns (index, (origin, size, root), keys that signed)."""
    index, hashes, note = parse_proof(text)
    body, signed_by = open_note(note, keys)
    origin, size, root = parse_checkpoint(body)
    signed_by = [key for key in signed_by if key.name == origin]
    if not signed_by:
        raise NoteError("NOTE_UNVERIFIED")
    try:
        check_inclusion(index, size, leaf_hash(record_hash), hashes, root)
    except ProofError as error:
        raise NoteError("PROOF_INVALID") from error
    return index, (origin, size, root), signed_by
