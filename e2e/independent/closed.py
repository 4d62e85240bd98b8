"""Closed epochs: spec/record.md "Genesis" and spec/bundle.md "Closed epochs"."""

from notes import NoteError, decode_base64, parse_checkpoint, parse_decimal, parse_note, parse_origin
from records import Chain, is_genesis, read_record
from tree import Tree, leaf_hash

_most_epochs = 100
_most_left = 200
_most_ranges = 1_000


class _Malformed(ValueError):
    pass


class _Stated:
    """What a genesis record says about one epoch before it."""

    def __init__(self, entry, log, tenant, before):
        if not isinstance(entry, dict) or set(entry) != {"checkpoint", "left"}:
            raise _Malformed
        self.note, self.left = entry["checkpoint"], []
        if not isinstance(self.note, str) or not isinstance(entry["left"], list) or len(entry["left"]) > _most_left:
            raise _Malformed
        try:
            self.origin, self.size, self.root = parse_checkpoint(parse_note(self.note)[0])
            named_log, named_tenant, self.epoch = parse_origin(self.origin)
        except NoteError as error:
            raise _Malformed from error
        if (named_log, named_tenant) != (log, tenant) or self.epoch >= before:
            raise _Malformed
        following = 0
        for text in entry["left"]:
            first, last, root = _read_range(text)
            if first < following or last < first:
                raise _Malformed
            self.left.append((first, last, root))
            following = last + 1

    def lost(self):
        lost, count, following = [], 0, 0
        for first, last in [*((first, last) for first, last, _ in self.left), (self.size, self.size)]:
            end = min(first, self.size)
            if end > following:
                count += end - following
                if len(lost) < _most_ranges:
                    lost.append([following, end - 1])
            following = last + 1
        return {"lost": lost, "lost_records": count}

    def same(self):
        return self.note, self.left


def _read_range(text):
    parts = text.split(" ") if isinstance(text, str) else []
    places = parts[0].split("-") if len(parts) == 2 else []
    if len(places) != 2:
        raise _Malformed
    first, last, root = parse_decimal(places[0]), parse_decimal(places[1]), decode_base64(parts[1])
    if first is None or last is None or root is None or len(root) != 32:
        raise _Malformed
    return first, last, root


def _read_statement(text, origin):
    """What a genesis record states, newest epoch first; None if it states nothing."""
    record = read_record(text)
    if record is None or record["sequence_number"] != 0 or not is_genesis(record, origin):
        return None
    recovery = record["event"]["metadata"].get("recovery")
    if not isinstance(recovery, dict) or "closed" not in recovery:
        return None
    closed = recovery["closed"]
    if not isinstance(closed, list) or not 1 <= len(closed) <= _most_epochs:
        raise _Malformed
    log, tenant, before = parse_origin(origin)
    stated = []
    for entry in closed:
        stated.append(_Stated(entry, log, tenant, before))
        before = stated[-1].epoch
    return stated


class ClosedEpochs:
    """The epochs that the genesis record of a chain closes. `find` takes a code, a place and an epoch."""

    def __init__(self, tenant, origin, kept_of_closed, find):
        self._tenant = tenant
        self._origin = origin
        self._kept_of = kept_of_closed
        self._find = find
        self._stated = None
        self._sections = {}

    def read_from(self, genesis):
        if self._stated is not None:
            return
        try:
            self._stated = _read_statement(genesis, self._origin)
        except _Malformed:
            self._find("GENESIS_INVALID", 0, None)
        for one in self._stated or []:
            for kept in self._kept_of(one.origin):
                if kept.size > one.size or (kept.size == one.size and kept.root != one.root):
                    self._find("CHECKPOINT_INCONSISTENT", kept.last, one.epoch)

    def section(self, epoch):
        stated = self._stated or []
        for at, one in enumerate(stated):
            if one.epoch == epoch:
                kept = [(kept.size, kept.root) for kept in self._kept_of(one.origin) if kept.size < one.size]
                section = _Section(self._tenant, one, stated[at + 1 :], kept, self._find)
                self._sections[epoch] = section
                return section
        self._find("STRAY_ROW", None, epoch)
        return None

    def report(self):
        if self._stated is None:
            return {}
        return {
            "closed": [
                {
                    "epoch": one.epoch,
                    "origin": one.origin,
                    "signed": one.size,
                    "records": self._sections[one.epoch].records if one.epoch in self._sections else None,
                    **one.lost(),
                }
                for one in self._stated
            ]
        }


class _Section:
    """The records of one closed epoch, in the order of the file."""

    def __init__(self, tenant, stated, older, kept, find):
        self.records = 0
        self._stated = stated
        self._older = older
        self._roots = [(stated.size, stated.root), *kept]
        self._find = lambda code, place: find(code, place, stated.epoch)
        self._chain = Chain(tenant, stated.origin, complete=False)
        self._ranges = list(stated.left)
        self._first_range = True
        self._next = self._ranges[0][0] if self._ranges else 0
        self._whole = True
        self._tree = Tree()

    def take(self, text):
        digest, place, found = self._chain.check(text)
        for finding in found:
            self._find(*finding)
        self.records += 1
        while self._ranges and place > self._next:
            self._skip_to(place)
        if not self._ranges or place != self._next:
            self._find("STRAY_ROW", place)
        else:
            self._tree.append(leaf_hash(digest))
            self._next += 1
            self._compare_roots()
            self._close_if_complete()
        if place == 0 and read_record(text) is not None:
            self._compare_older(text)

    def finish(self):
        while self._ranges:
            self._skip_to(self._ranges[0][1] + 1)

    def _skip_to(self, place):
        self._find("SEQUENCE_GAP", self._next)
        self._whole = False
        self._next = min(place - 1, self._ranges[0][1]) + 1
        self._close_if_complete()

    def _close_if_complete(self):
        first, last, root = self._ranges[0]
        if self._next <= last:
            return
        if self._whole and self._tree.root() != root:
            self._find("CLOSED_RECORDS_CHANGED", first)
        del self._ranges[0]
        self._first_range = False
        self._tree, self._whole = Tree(), True
        if self._ranges:
            self._next = self._ranges[0][0]

    def _compare_roots(self):
        if not self._first_range or not self._whole or self._ranges[0][0] > 0:
            return
        for size, root in self._roots:
            if size == self._tree.size and root != self._tree.root():
                self._find("CHECKPOINT_ROOT_MISMATCH", size - 1)

    def _compare_older(self, text):
        try:
            own = _read_statement(text, self._stated.origin)
        except _Malformed:
            self._find("GENESIS_INVALID", 0)
            return
        if own is not None and [one.same() for one in own] != [one.same() for one in self._older]:
            self._find("CLOSED_EPOCHS_RESTATED", 0)
