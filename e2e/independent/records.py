"""Records and chains: spec/record.md."""

import hashlib
import re

from notes import NoteError, parse_origin, tenant_pattern
from strict_json import canonical, parse

_hash = re.compile("[0-9a-f]{64}")
_nonce = re.compile("[0-9a-f]{32}")
_uuid = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_time = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_members = {"event", "ingest", "ingested_at", "previous_hash", "record_version", "sequence_number", "tenant_id"}
_ingest_needed = {"nonce", "source", "trust"}
_ingest_known = _ingest_needed | {"principal", "producer_id", "producer_seq"}
_trust = {"api-key", "topic-acl", "operator", "service"}
_bound = {"hash": "SHA-256", "canonicalization": "RFC 8785", "tree": "RFC 6962", "record_version": "1"}
ZERO_HASH = "0" * 64


def _is(pattern, value):
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def is_integer(value, least=0):
    return isinstance(value, float) and value.is_integer() and least <= value <= 2**53 - 1


def read_record(text):
    """Parses a record. Returns None if the text is not a record or not canonical."""
    try:
        record = parse(text, 1_000)
        if canonical(record) != text:
            return None
    except ValueError:
        return None
    if not isinstance(record, dict) or set(record) != _members or record["record_version"] != "1":
        return None
    if not is_integer(record["sequence_number"]) or not _is(tenant_pattern, record["tenant_id"]):
        return None
    if not _is(_hash, record["previous_hash"]) or not _is(_time, record["ingested_at"]):
        return None
    ingest = record["ingest"]
    if not isinstance(record["event"], dict) or not isinstance(ingest, dict):
        return None
    if not _ingest_needed <= set(ingest) <= _ingest_known:
        return None
    if not _is(_nonce, ingest["nonce"]) or not isinstance(ingest["source"], str):
        return None
    if not isinstance(ingest["trust"], str) or ingest["trust"] not in _trust:
        return None
    if not isinstance(ingest.get("principal", ""), str):
        return None
    if "producer_id" in ingest and not _is(_uuid, ingest["producer_id"]):
        return None
    if "producer_seq" in ingest and not is_integer(ingest["producer_seq"], 1):
        return None
    return record


def is_genesis(record, origin):
    event = record["event"]
    metadata = event.get("metadata")
    if record["previous_hash"] != ZERO_HASH or event.get("event_type") != "system.genesis":
        return False
    if event.get("actor_type") != "system" or event.get("tenant_id") != record["tenant_id"]:
        return False
    if not isinstance(metadata, dict) or any(metadata.get(name) != value for name, value in _bound.items()):
        return False
    if not isinstance(metadata.get("origin"), str) or metadata["origin"] != origin:
        return False
    try:
        _, tenant, epoch = parse_origin(metadata["origin"])
    except NoteError:
        return False
    return tenant == record["tenant_id"] and is_integer(metadata.get("epoch")) and metadata["epoch"] == epoch


class Chain:
    """Checks the records of a chain, one after the other."""

    def __init__(self, tenant_id, origin, complete=True):
        self.tenant_id = tenant_id
        self.origin = origin
        self.complete = complete
        self.next = 0
        self.head = ZERO_HASH
        self._time = ""

    def check(self, text, position=None):
        """Returns (hash, position, findings). A finding is (code, position). A given position is the one that a proof names."""
        digest = hashlib.sha256(text.encode()).digest()
        record = read_record(text)
        findings = []
        place = position
        if place is None:
            place = self.next if record is None else int(record["sequence_number"])
        if record is None:
            findings.append("RECORD_NOT_CANONICAL")
        linked = place == self.next
        if place > self.next and self.complete:
            findings.append("SEQUENCE_GAP")
        if place < self.next:
            findings.append("SEQUENCE_DUPLICATE")
        if record is not None:
            event = record["event"]
            if record["sequence_number"] != place:
                findings.append("SEQUENCE_GAP")
            if record["tenant_id"] != self.tenant_id or event.get("tenant_id") != self.tenant_id:
                findings.append("TENANT_MISMATCH")
            if linked and record["previous_hash"] != self.head:
                findings.append("CHAIN_LINK_BROKEN")
            begins = place == 0 and record["sequence_number"] == 0
            if place == 0:
                if not begins or not is_genesis(record, self.origin):
                    findings.append("GENESIS_INVALID")
            elif event.get("event_type") == "system.genesis":
                findings.append("GENESIS_INVALID")
            if record["ingested_at"] < self._time:
                findings.append("TIME_REGRESSION")
            self._time = record["ingested_at"]
        self.next = place + 1
        self.head = digest.hex()
        return digest, place, [(code, place) for code in findings]
