"""Checkpoints that earlier verifications accepted, one file per log in a directory, and evidence of contradictions."""

import hashlib
import os
import urllib.parse

from notes import NoteError, parse_checkpoint, parse_note, parse_origin


class KeptDamaged(Exception):
    """A kept checkpoint can't be read. It must not look as if none had been kept."""


def _subject(note):
    """Returns what a note is about: the origin and the size of a checkpoint, or the name of the log of a rotation."""
    text = parse_note(note)[0]
    try:
        return parse_checkpoint(text)[:2]
    except NoteError:
        return text.split("\n")[1], "rotation"


class Kept:
    def __init__(self, directory):
        self._directory = directory

    def _path(self, origin):
        return os.path.join(self._directory, urllib.parse.quote(origin, safe="") + ".note")

    def read(self, origin):
        """Returns the kept note of a log, or None."""
        path = self._path(origin)
        try:
            with open(path, encoding="utf-8", newline="") as file:
                note = file.read()
            if parse_checkpoint(parse_note(note)[0])[0] == origin:
                return note
        except FileNotFoundError:
            return None
        except (NoteError, UnicodeDecodeError):
            pass
        raise KeptDamaged(f"{path} is not a checkpoint of {origin}")

    def of_last_other_epoch(self, origin):
        """Returns (epoch, note) of the last other epoch of the same log that is kept, or None."""
        log, tenant, own = parse_origin(origin)
        epochs = []
        for name in os.listdir(self._directory) if os.path.isdir(self._directory) else []:
            try:
                other_log, other_tenant, epoch = parse_origin(urllib.parse.unquote(name.removesuffix(".note")))
            except NoteError:
                continue
            if name.endswith(".note") and (other_log, other_tenant) == (log, tenant) and epoch != own:
                epochs.append(epoch)
        if not epochs:
            return None
        return max(epochs), self.read(f"{log}/{tenant}/{max(epochs)}")

    def replace(self, origin, before, note):
        """Keeps a note that was proven consistent with `before`. A log never shrinks, so a smaller one is not kept."""
        if self.read(origin) != before:
            return  # Another process kept one meanwhile, and this note was not compared with it.
        size = parse_checkpoint(parse_note(note)[0])[1]
        if size > (0 if before is None else parse_checkpoint(parse_note(before)[0])[1]):
            self._write(self._path(origin), note)

    def save_evidence(self, notes):
        """Saves two notes that contradict each other. Returns the files."""
        paths = []
        for note in notes:
            origin, size = _subject(note)
            name = f"{origin.replace('/', '_')}-{size}-{hashlib.sha256(note.encode()).hexdigest()[:16]}.note"
            paths.append(os.path.join(self._directory, "evidence", name))
            self._write(paths[-1], note)
        return paths

    def _write(self, path, note):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8", newline="") as file:
            file.write(note)
        os.replace(path + ".new", path)
