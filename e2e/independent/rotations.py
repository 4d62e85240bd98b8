"""Rotations of a log's key: spec/log.md, "Key rotation"."""

import base64
import datetime
import re

from notes import Key, NoteError, decode_base64, open_note, parse_decimal, parse_note, parse_origin
from records import is_integer
from tree import ProofError, check_inclusion, leaf_hash, sha256

_title = "tallystick/key-rotation/v1"
_time = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_log_name = re.compile(r"[a-z0-9](?:[a-z0-9._/-]{0,126}[a-z0-9])?")


class Malformed(ValueError):
    pass


class Handover:
    """The last checkpoint that a key signed before it was rotated out."""

    def __init__(self, size, root):
        self.size, self.root, self.last = size, root, size - 1
        self.note = None


def _is_time(text):
    if not _time.fullmatch(text):
        return False
    try:
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
        return True
    except ValueError:
        return False


def _after(name, line):
    if not line.startswith(name + " "):
        raise Malformed
    return line[len(name) + 1 :]


def _key(text):
    try:
        key = Key(text)
    except NoteError as error:
        raise Malformed from error
    if key.text != text:
        raise Malformed
    return key


def _hash(value):
    data = decode_base64(value) if isinstance(value, str) else None
    if data is None or len(data) != 32:
        raise Malformed
    return data


class Rotation:
    """A rotation line. Its form is checked, and no signature."""

    def __init__(self, value):
        if not isinstance(value, dict) or not {"statement"} <= set(value) <= {"statement", "last"}:
            raise Malformed
        self.statement = value["statement"]
        if not isinstance(self.statement, str):
            raise Malformed
        try:
            lines = parse_note(self.statement)[0].split("\n")
        except NoteError as error:
            raise Malformed from error
        if len(lines) != 7 or lines[0] != _title or lines[6] != "" or not _log_name.fullmatch(lines[1]):
            raise Malformed
        self.log = lines[1]
        self.old, self.new = _key(_after("old", lines[2])), _key(_after("new", lines[3]))
        self.at = _after("at", lines[4])
        logs, _, root = _after("logs", lines[5]).partition(" ")
        self.logs, self.root = parse_decimal(logs), _hash(root)
        if self.logs is None or not _is_time(self.at):
            raise Malformed
        if self.old.name != self.log or self.new.name != self.log or self.old.public_key == self.new.public_key:
            raise Malformed
        self.last = _read_last(value["last"]) if "last" in value else None

    def check_signatures(self):
        """Raises NoteError."""
        if len(open_note(self.statement, [self.old, self.new])[1]) < 2:
            raise NoteError("NOTE_UNVERIFIED")

    def check(self, origin):
        """Returns the handover of a log, or None. Raises NoteError or ProofError."""
        self.check_signatures()
        if self.last is None:
            return None
        size, root, index, hashes = self.last
        text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        check_inclusion(index, self.logs, leaf_hash(sha256(text.encode())), hashes, self.root)
        return Handover(size, root)


def _read_last(value):
    if not isinstance(value, dict) or set(value) != {"size", "root", "index", "hashes"}:
        raise Malformed
    if not is_integer(value["size"], 1) or not is_integer(value["index"]):
        raise Malformed
    if not isinstance(value["hashes"], list) or len(value["hashes"]) > 63:
        raise Malformed
    return int(value["size"]), _hash(value["root"]), int(value["index"]), [_hash(one) for one in value["hashes"]]


class TrustedKeys:
    """The given keys of one log, and those to which rotations lead from them."""

    def __init__(self, origin, keys):
        self.origin = origin
        self.keys = [key for key in keys if key.name == origin]
        self.handovers = []
        self.followed = []
        self.two_successors = None  # two statements of one key that name different successors
        self._retired = {}  # public key of an old key: (public key of its successor, handover, statement)

    def follow(self, rotation, find):
        old = next((key for key in self.keys if key.public_key == rotation.old.public_key), None)
        if old is None or rotation.log != parse_origin(self.origin)[0]:
            return
        new = rotation.new.public_key
        successor, before, statement = self._retired.get(old.public_key, (None, None, rotation.statement))
        try:
            if successor is not None and successor != new:
                rotation.check_signatures()
                self.two_successors = self.two_successors or (statement, rotation.statement)
                raise NoteError("PROOF_INVALID")
            if successor is None and new in self._retired:
                raise NoteError("PROOF_INVALID")
            last = rotation.check(self.origin)
        except (NoteError, ProofError):
            find("KEY_ROTATION_INVALID", None)
            return
        if last is not None and all((one.size, one.root) != (last.size, last.root) for one in self.handovers):
            self.handovers.append(last)
        self._retired[old.public_key] = (new, before or last, statement)
        if successor is not None:
            return
        key = next((key for key in self.keys if key.public_key == new), None)
        if key is None:
            key = Key.of(self.origin, new)
            self.keys.append(key)
        self.followed.append(
            {
                "rotated_at": rotation.at,
                "old_key": old.text,
                "new_key": key.text,
                "last_size": 0 if last is None else last.size,
            }
        )

    def may_have_signed(self, signers, size, root):
        for key in signers:
            if key.public_key not in self._retired:
                return True
            last = self._retired[key.public_key][1]
            if last is not None and (size < last.size or (size == last.size and root == last.root)):
                return True
        return False
