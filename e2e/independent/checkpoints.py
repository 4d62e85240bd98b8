"""Checkpoints of one log, and what they say about each other: spec/bundle.md, "Verifying", step 2."""

from notes import NoteError, open_note, parse_checkpoint, parse_note


class NotSigned(Exception):
    """No trusted key signed a checkpoint that the user gave."""


def keys_of(origin, keys):
    """The keys that count for a log: only a key with the log's name can sign its checkpoints."""
    return [key for key in keys if key.name == origin]


class Checkpoint:
    """Raises NoteError for a note that is not a checkpoint of this origin."""

    def __init__(self, note, keys, origin, accepted=False, ring=None):
        text, _ = parse_note(note)
        own, self.size, self.root = parse_checkpoint(text)
        if own != origin:
            raise NoteError("CHECKPOINT_MALFORMED")
        self.note = note
        self.last = self.size - 1 if self.size > 0 else None
        self.signed_by = []
        self.forged = False
        self.retired = False
        if not accepted:
            try:
                self.signed_by = open_note(note, keys_of(origin, keys))[1]
            except NoteError as error:
                self.forged = error.code == "SIGNATURE_INVALID"
        if self.signed_by and ring is not None and not ring.may_have_signed(self.signed_by, self.size, self.root):
            self.retired, self.signed_by = True, []
        self.trusted = accepted or bool(self.signed_by)


def read_kept(origin, keys, accepted, given, find, ring=None):
    """The checkpoints from outside of the file. `find` takes a finding, `ring` are the keys with their rotations."""
    keys = keys if ring is None else ring.keys
    kept = [Checkpoint(note, keys, origin, accepted=True) for note in accepted]
    for note in given:
        one = Checkpoint(note, keys, origin, ring=ring)
        if one.trusted:
            kept.append(one)
        elif keys_of(origin, keys) and not one.forged and not one.retired:
            raise NotSigned("no trusted key signed a given checkpoint")
        elif one.retired:
            find("CHECKPOINT_KEY_RETIRED", one.last)
        elif one.forged:
            find("CHECKPOINT_SIGNATURE_INVALID", one.last)
    return kept


def distinct(checkpoints):
    """Without repetitions. Of two equal ones the later one stays."""
    return list({(one.size, one.root): one for one in checkpoints}.values())


def contradiction(checkpoints, tree_size=None, mismatched=()):
    """The notes of two checkpoints that no single log can have, or None."""
    for at, one in enumerate(checkpoints):
        for other in checkpoints[at + 1 :]:
            if other.size == one.size and other.root != one.root:
                return one.note, other.note
        if one in mismatched:
            for other in checkpoints:
                if other.size <= tree_size and other not in mismatched and other.size >= one.size:
                    return one.note, other.note
    return None


class Links:
    """Sizes that verified consistency proofs connect."""

    def __init__(self):
        self._pairs = []

    def add(self, first, second):
        self._pairs += [(first, second), (second, first)]

    def connect(self, first, second):
        reached, following = set(), [first]
        while following:
            size = following.pop()
            if size not in reached:
                reached.add(size)
                following += [other for one, other in self._pairs if one == size]
        return second in reached
