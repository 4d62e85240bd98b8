"""Terms of spec/field-index.md and spec/search-index.md, and their hashes."""

import ipaddress
import re
import unicodedata

from strict_json import canonical, canonical_number

PLAIN = (
    "event_category", "actor_type", "actor_id", "target_type", "target_id", "source_service",
    "investigation_id", "alert_id", "correlation_id", "trace_id",
)  # fmt: skip
LENGTHS = {32: (0, 8, 16, 20, 24, 28, 32), 128: (0, 16, 32, 48, 56, 64, 128)}
LONGEST_VALUE = 512
SCRIPTS_WITHOUT_SPACES = ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA LETTER", "THAI", "LAO", "KHMER", "MYANMAR")
DECIMAL = r"[0-9]{1,3}"
IPV4_WITHIN = re.compile(rf"(?<![0-9A-Fa-f.]){DECIMAL}(?:\.{DECIMAL}){{3}}(?![0-9A-Fa-f]|\.[0-9])")


def term_hash(tenant_id, epoch, block, term):
    """FNV-1a of 32 bits, as a signed integer."""
    value = 0x811C9DC5
    for byte in f"{tenant_id}\n{epoch}\n{block}\n{term}".encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def stored_hashes(terms, tenant_id, epoch, block):
    return sorted({term_hash(tenant_id, epoch, block, term) for term in terms})


def field_terms(event):
    found = set()

    def add(name, value):
        if isinstance(value, str) and len(value.encode("utf-16-le")) // 2 <= LONGEST_VALUE:
            found.add(f"{name}={value}")

    def add_actor(name, actor):
        if isinstance(actor.get("actor_id"), str):
            add(name, actor["actor_id"])
            if isinstance(actor.get("actor_type"), str):
                add(name, f"{actor['actor_type']}:{actor['actor_id']}")

    def add_members(name, value):
        if isinstance(value, dict):
            for member in value:
                add_members(f"{name}.{member}", value[member])
        elif isinstance(value, list):
            for element in value:
                add_members(name, element)
        else:
            add(name, _text(value))

    for name in PLAIN:
        add(name, event.get(name))
    add("severity", event.get("severity", "info"))
    add("outcome_status", event.get("outcome", {}).get("outcome_status"))
    add("is_sensitive", "true" if event.get("is_sensitive") is True else "false")
    if "event_type" in event:
        parts = event["event_type"].split(".")
        add("event_type", event["event_type"])
        for count in range(1, len(parts)):
            add("event_type", ".".join(parts[:count]) + ".*")
    add_actor("actor", event)
    for actor in event.get("on_behalf_of", []):
        add_actor("on_behalf_of", actor)
    for element in event.get("entity_ids", []):
        add("entity_ids", element)
    address = _address(event.get("source_ip", ""))
    if address is not None:
        found |= _address_terms("source_ip", address)
    for name in ("metadata", "context"):
        if name in event:
            add_members(name, event[name])
    return {"*"} if len(found) > 1000 else found


def search_terms(event):
    found = set()
    for text in _texts({name: event[name] for name in event if name not in ("tenant_id", "sealed")}):
        for word in _words(text):
            found.add(f"w={word}")
            found |= {f"w{count}={word[:count]}" for count in (3, 6) if len(word) > count}
        for address in _addresses(text):
            found |= _address_terms("ip", address)
    return {"*"} if len(found) > 4000 else found


def _text(value):
    """A text itself, or the canonical JSON of another value."""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return canonical_number(float(value)) if is_number else canonical(value)


def _texts(value):
    if isinstance(value, dict):
        for name in value:
            yield from _texts(value[name])
    elif isinstance(value, list):
        for element in value:
            yield from _texts(element)
    elif value is not None and not isinstance(value, bool):
        yield _text(value)


def _words(text):
    folded = unicodedata.normalize("NFKC", text).lower().upper().lower()
    folded = unicodedata.normalize("NFKC", folded).replace("\u03c2", "\u03c3")
    words, previous = [], None
    for character in folded:
        category = unicodedata.category(character)[0]
        alone = unicodedata.name(character, "").startswith(SCRIPTS_WITHOUT_SPACES)
        if category == "M" and previous is not None:
            words[-1] += character
        elif category not in "LMN":
            previous = None
        elif alone or previous in (None, "alone"):
            words.append(character)
            previous = "alone" if alone else "run"
        else:
            words[-1] += character
    return [word[:64] for word in words]


def _addresses(text):
    for run in re.split(r"[^0-9A-Fa-f:.]+", text):
        if not 2 <= len(run) <= 64:
            continue
        address = _address(run[:-1] if run.endswith(".") else run)
        if address is None:
            within = IPV4_WITHIN.search(run)
            address = _address(within.group()) if within else None
        if address is not None:
            yield address


def _address(text):
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _address_terms(name, address):
    bits, digits = address.max_prefixlen, address.max_prefixlen // 4
    values = {length: int(address) >> (bits - length) << (bits - length) for length in LENGTHS[bits]}
    return {f"{name}/{length}={value:0{digits}x}" for length, value in values.items()}
