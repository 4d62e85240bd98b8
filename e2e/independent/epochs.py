"""A new epoch of a log whose earlier epoch was verified before: spec/bundle.md, "New epochs"."""

from notes import Key, NoteError, open_note, parse_checkpoint, parse_note
from records import is_genesis, read_record

NAMES, CONTRADICTS, UNRELATED = "names", "contradicts", "unrelated"


class EpochChanged(Exception):
    """A new epoch contradicts the checkpoint that was kept of an earlier one."""


def link_of(genesis, origin, kept, keys):
    """
    Compares the first record of the chain of `origin` with the note that was kept of an earlier epoch. Returns (link, named
    note); the note is None if the record names none that counts. `keys` are trusted for the log, in any epoch.
    """
    named = _named(genesis, origin)
    try:
        kept_origin, kept_size, kept_root = parse_checkpoint(parse_note(kept)[0])
        named_origin, size, root = parse_checkpoint(parse_note(named or "")[0])
        if named_origin != kept_origin:
            return UNRELATED, None
        open_note(named, [Key.of(kept_origin, key.public_key) for key in keys])
    except NoteError:
        return UNRELATED, None
    is_other = size < kept_size or (size == kept_size and root != kept_root)
    return CONTRADICTS if is_other else NAMES, named


def _named(genesis, origin):
    record = read_record(genesis)
    if record is None or record["sequence_number"] != 0 or not is_genesis(record, origin):
        return None
    recovery = record["event"]["metadata"].get("recovery")
    named = recovery.get("checkpoint") if isinstance(recovery, dict) else None
    return named if isinstance(named, str) else None
