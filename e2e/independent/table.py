"""The table of an export with evidence: spec/selection.md, "The table"."""

import re

from events import speaks_for_service
from strict_json import canonical, canonical_number

_paths = {
    "outcome_status": ("outcome", "outcome_status"),
    "ingest_trust": ("ingest", "trust"),
    "ingest_principal": ("ingest", "principal"),
    "ingest_source": ("ingest", "source"),
}
_columns = """
    epoch sequence_number ingested_at audit_id tenant_id timestamp event_type event_category event_action severity actor_type
    actor_id actor_permissions on_behalf_of target_type target_id investigation_id alert_id entity_ids correlation_id trace_id
    span_id parent_id idempotency_key source_ip user_agent context decision outcome_status outcome proof event_data metadata
    namespace cluster retention_days is_sensitive source_service event_version sealed ingest_trust ingest_principal
    ingest_source previous_hash record_hash note
""".split()
_marks = ("redacted", "damaged", "claimed")

_unprintable = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_unseen = (
    ' "\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890-\u0891\u08e2\u115f-\u1160\u1680\u17b4-\u17b5\u180b-\u180f'
    "\u2000-\u200d\u202f\u205f-\u2065\u206a-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd"
    "\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_formula = re.compile("(^|;)([" + _unseen + r"]*[=+\-@'" + "\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])")
_place = re.compile("([0-9]{1,10}),([0-9]{1,16}),")

HEADER = ",".join(_columns) + "\r"


def cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return canonical_number(float(value))
    text = value if isinstance(value, str) else canonical(value)
    text = _unprintable.sub(lambda found: _short.get(found[0]) or "\\u%04x" % ord(found[0]), text)
    text = _formula.sub(r"\1'\2", text)
    return '"' + text.replace('"', '""') + '"' if re.search('[",;]', text) else text


def shown_record(record, digest, epoch):
    """What the table shows of a record."""
    own = {name: record[name] for name in ("sequence_number", "previous_hash", "ingested_at", "ingest")}
    claimed = speaks_for_service(record["event"]) and record["ingest"]["trust"] != "service"
    shown = {**record["event"], **own, "record_hash": digest.hex(), "epoch": epoch}
    return {**shown, "claimed": True} if claimed else shown


def line_of(shown):
    """The line of a record in the table, without U+000A."""
    return ",".join(cell(_value(shown, name)) for name in _columns) + "\r"


def _value(shown, name):
    if name == "note":
        return next((mark for mark in _marks if shown.get(mark) is True), "")
    value = shown
    for member in _paths.get(name, (name,)):
        value = value.get(member) if isinstance(value, dict) else None
    return value


def place_of(line):
    """The epoch and the sequence number of a line, or None."""
    match = _place.match(line)
    if match is None:
        return None
    epoch, sequence = int(match[1]), int(match[2])
    return (epoch, sequence) if 1 <= epoch < 2**31 and sequence < 2**53 else None


class Comparison:
    """Compares the lines of a table with those that the records make, both in the order of the chain."""

    def __init__(self, lines, find):
        self._lines = lines
        self._find = find
        self._next = next(lines, None)
        if self._next == HEADER:
            self._advance()
        elif self._next is None or place_of(self._next) is not None:
            find("LINE_MISSING", None)
        else:
            find("LINE_CHANGED", None)
            self._advance()

    def _advance(self):
        self._next = next(self._lines, None)

    def expect(self, line):
        place = place_of(line)
        while self._next is not None:
            found = place_of(self._next)
            if found is not None and found >= place:
                break
            self._add()
        if self._next is None or place_of(self._next) > place:
            self._find("LINE_MISSING", place[1])
            return
        if self._next != line:
            self._find("LINE_CHANGED", place[1])
        self._advance()

    def finish(self):
        while self._next is not None:
            self._add()

    def _add(self):
        place = place_of(self._next)
        self._find("LINE_ADDED", None if place is None else place[1])
        self._advance()
