"""Admission of events: spec/event.md."""

import calendar
import datetime
import re
import unicodedata

from notes import tenant_pattern
from strict_json import DuplicateKey, JsonError, canonical, has_lone_surrogate, parse, utf16_length


class Violation(ValueError):
    def __init__(self, code, tokens=()):
        super().__init__(code)
        self.code = code
        pointer = "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)
        if utf16_length(pointer) > 512:
            pointer = pointer.encode("utf-16-le", "surrogatepass")[:1024].decode("utf-16-le", "surrogatepass") + "…"
        self.pointer = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in pointer)


_uuid = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_time = re.compile(
    r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z"
)
_octet = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_ipv4 = re.compile(rf"{_octet}(?:\.{_octet}){{3}}")
_ipv6_group = re.compile("[0-9A-Fa-f]{1,4}")
_type = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z][a-z0-9_-]*)+")
_version = re.compile(r"1\.[0-9]{1,3}")
_commitment = re.compile("[0-9a-f]{64}")
_reserved = ("delivery.", "audit.", "retention.", "hold.", "source.")
_reserved_types = ("system.genesis", "agent.action.unresolved", "agent.action.unexplained")
_sealable = ("context", "decision", "outcome", "proof", "event_data", "metadata")
_most_bytes = 262_144
_same_shapes = {
    "a": "4@\u0251\u03b1\u0430\u2c81\ua4ee\uab7a",
    "c": "\u03c2\u03c3\u0441\u1d04\u2ca5\ua4da\uabaf",
    "k": "\u0138\u03ba\u043a\u1d0b\u2c95\ua4d7\uabb6",
    "l": "1i|\u0131\u01c0\u0269\u03b9\u0456\u04cf\u05c0\u0627\u2223\u2373\u2c93\ua4e1\ua4f2\uab75\uabae",
    "s": "$5\u0282\u0455\u057f\ua4e2\ua731\uabaa",
    "t": "\u03c4\u0442\u1d1b\u2ca7\ua4d4\uab72",
    "y": "\u0263\u028f\u03b3\u03c5\u0443\u04af\u2ca9\ua4ec\uab8d",
}
_shapes = str.maketrans({shape: letter for letter, shapes in _same_shapes.items() for shape in shapes})


def _text(least=0, most=None, pattern=None, code=None):
    def check(value, tokens):
        if not isinstance(value, str):
            raise Violation(code or "FIELD_TYPE", tokens)
        length = utf16_length(value)
        if length < least or (most is not None and length > most):
            raise Violation(code or "FIELD_LENGTH", tokens)
        if pattern is not None and not pattern.fullmatch(value):
            raise Violation(code or "FIELD_FORMAT", tokens)

    return check


def _one_of(*values):
    def check(value, tokens):
        if not isinstance(value, str):
            raise Violation("FIELD_TYPE", tokens)
        if value not in values:
            raise Violation("FIELD_ENUM", tokens)

    return check


def _timestamp(value, tokens):
    if not isinstance(value, str) or not _time.fullmatch(value) or seconds(value) is None:
        raise Violation("TIMESTAMP_INVALID", tokens)


def _days(value, tokens):
    if not isinstance(value, float) or not value.is_integer():
        raise Violation("FIELD_TYPE", tokens)
    if not 1 <= value <= 36_500:
        raise Violation("FIELD_RANGE", tokens)


def _flag(value, tokens):
    if not isinstance(value, bool):
        raise Violation("FIELD_TYPE", tokens)


def _address(value, tokens):
    if not isinstance(value, str):
        raise Violation("FIELD_TYPE", tokens)
    if utf16_length(value) > 45:
        raise Violation("FIELD_LENGTH", tokens)
    if not _ipv4.fullmatch(value) and not _is_ipv6(value):
        raise Violation("FIELD_FORMAT", tokens)


def _is_ipv6(text):
    """RFC 4291, section 2.2: eight groups, of which `::` replaces one or more, and the last two may be an IPv4 address."""
    head, compressed, rest = text.partition("::")
    if "::" in rest or ":::" in text:
        return False
    parts = [half.split(":") if half else [] for half in (head, rest)]
    count = sum(len(part) for part in parts)
    last = parts[1] if compressed else parts[0]
    if last and _ipv4.fullmatch(last[-1]):
        last.pop()
        count += 1
    if not all(_ipv6_group.fullmatch(group) for part in parts for group in part):
        return False
    return count <= 7 if compressed else count == 8


def _list(check_item, most=1_000):
    def check(value, tokens):
        if not isinstance(value, list):
            raise Violation("FIELD_TYPE", tokens)
        if len(value) > most:
            raise Violation("FIELD_LENGTH", tokens)
        for at, item in enumerate(value):
            check_item(item, [*tokens, at])

    return check


def _object(required=(), fields=None, closed=False):
    known = fields or {}

    def check(value, tokens):
        if not isinstance(value, dict):
            raise Violation("FIELD_TYPE", tokens)
        for name in required:
            if name not in value:
                raise Violation("FIELD_REQUIRED", [*tokens, name])
        for name, member in value.items():
            if name in known:
                known[name](member, [*tokens, name])
            elif closed:
                raise Violation("FIELD_UNKNOWN", [*tokens, name])

    return check


_identifier = _text(1, 512)
_actor_type = _one_of("user", "human", "agent", "service", "system", "scheduler", "webhook")
_event = _object(
    ("audit_id", "tenant_id", "timestamp", "event_type", "actor_type", "actor_id", "source_service"),
    {
        "audit_id": _text(pattern=_uuid, code="AUDIT_ID_INVALID"),
        "tenant_id": _text(pattern=tenant_pattern, code="TENANT_ID_INVALID"),
        "timestamp": _timestamp,
        "event_type": _text(most=128, pattern=_type, code="EVENT_TYPE_INVALID"),
        "event_category": _text(1, 64),
        "event_action": _text(1, 128),
        "severity": _one_of("info", "warning", "critical"),
        "actor_type": _actor_type,
        "actor_id": _identifier,
        "actor_permissions": _list(_text(most=512)),
        "on_behalf_of": _list(
            _object(
                ("actor_type", "actor_id"),
                {"actor_type": _actor_type, "actor_id": _identifier},
                closed=True,
            ),
            16,
        ),
        "target_type": _identifier,
        "target_id": _identifier,
        "investigation_id": _identifier,
        "alert_id": _identifier,
        "entity_ids": _list(_identifier),
        "correlation_id": _identifier,
        "trace_id": _identifier,
        "span_id": _identifier,
        "parent_id": _identifier,
        "idempotency_key": _identifier,
        "source_ip": _address,
        "user_agent": _text(1, 1_024),
        "context": _object(),
        "decision": _object(),
        "outcome": _object(
            fields={
                "outcome_status": _one_of(
                    "success", "failure", "partial", "pending", "denied", "timed_out", "blocked", "rolled_back"
                ),
                "error_code": _text(most=256),
                "error_message": _text(most=16_384),
            }
        ),
        "proof": _object(
            ("type",),
            {
                "type": _one_of("screenshot", "api_response", "hash", "url", "none"),
                "data": _object(),
                "url": _text(most=8_192),
                "hash": _text(most=512),
                "captured_at": _timestamp,
            },
        ),
        "event_data": _object(
            ("version", "service", "operation", "status", "payload"),
            {
                "version": _text(most=64),
                "service": _identifier,
                "operation": _identifier,
                "status": _text(most=64),
                "payload": _object(),
                "source_payload": _object(),
            },
        ),
        "metadata": _object(),
        "namespace": _identifier,
        "cluster": _identifier,
        "retention_days": _days,
        "is_sensitive": _flag,
        "source_service": _identifier,
        "event_version": _text(pattern=_version),
        "sealed": _object(),
    },
    closed=True,
)


def seconds(timestamp):
    """Seconds since the epoch, cut to milliseconds; None for a date that the calendar does not have."""
    year, month, day = int(timestamp[0:4]), int(timestamp[5:7]), int(timestamp[8:10])
    if day > calendar.monthrange(year, month)[1]:
        return None
    whole = datetime.datetime.fromisoformat(timestamp[:19] + "+00:00")
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    fraction = timestamp[20:-1][:3].ljust(3, "0")
    return (whole - epoch).total_seconds() + int(fraction) / 1000


def _check_values(value, tokens, depth, counter):
    if isinstance(value, str):
        _check_string(value, tokens)
    elif isinstance(value, float):
        if value != value or abs(value) == float("inf") or (value.is_integer() and abs(value) > 2**53 - 1):
            raise Violation("NUMBER_OUT_OF_RANGE", tokens)
    elif isinstance(value, (list, dict)):
        if depth > 32:
            raise Violation("EVENT_TOO_DEEP", tokens)
        members = enumerate(value) if isinstance(value, list) else value.items()
        for name, member in members:
            if isinstance(value, dict):
                counter[0] += 1
                if counter[0] > 2_000:
                    return
                _check_string(name, [*tokens, name])
            _check_values(member, [*tokens, name], depth + 1, counter)


def _check_string(text, tokens):
    if has_lone_surrogate(text):
        raise Violation("STRING_LONE_SURROGATE", tokens)
    if "\0" in text:
        raise Violation("STRING_NUL", tokens)


def _check_actors(event):
    """Only the service itself may be named as system/tallystick, or as a system actor that looks like it."""
    if _is_service(event):
        raise Violation("ACTOR_RESERVED", ["actor_id"])
    for index, principal in enumerate(event.get("on_behalf_of", [])):
        if _is_service(principal):
            raise Violation("ACTOR_RESERVED", ["on_behalf_of", index, "actor_id"])


def _is_service(actor):
    name = actor["actor_id"]
    return actor["actor_type"] == "system" and utf16_length(name) <= 80 and _skeleton(name) == "tallystlck"


def speaks_for_service(event):
    """Whether an event of a record reads as the word of the service: by its type, or by its actor. It may have any members."""
    event_type, actor = event.get("event_type"), {name: event.get(name) for name in ("actor_type", "actor_id")}
    if isinstance(event_type, str) and (event_type in _reserved_types or event_type.startswith((*_reserved, "approval."))):
        return True
    return isinstance(actor["actor_id"], str) and _is_service(actor)


def _skeleton(text):
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).lower()).translate(_shapes)
    return "".join(c for c in plain if unicodedata.category(c)[0] in "LN")


def _check_sealed(event):
    for pointer, commitment in event["sealed"].items():
        where = ["sealed", pointer]
        malformed = not pointer.startswith("/") or re.search("~(?![01])", pointer)
        tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]
        if malformed or len(tokens) < 2 or tokens[0] not in _sealable or pointer == "/outcome/outcome_status":
            raise Violation("SEALED_INVALID", where)
        value = event
        for token in tokens:
            if isinstance(value, dict) and token in value:
                value = value[token]
            elif isinstance(value, list) and re.fullmatch("0|[1-9][0-9]*", token) and int(token) < len(value):
                value = value[int(token)]
            else:
                break
        else:
            raise Violation("SEALED_INVALID", where)
        if not isinstance(commitment, str) or not _commitment.fullmatch(commitment):
            raise Violation("SEALED_INVALID", where)


def admit(data, now):
    """Returns the canonical text of the event, or raises its first Violation. `now` is in seconds since the epoch."""
    if len(data) > _most_bytes:
        raise Violation("EVENT_TOO_LARGE")
    try:
        event = parse(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Violation("UTF8_INVALID") from error
    except DuplicateKey as error:
        raise Violation("JSON_DUPLICATE_KEY") from error
    except JsonError as error:
        raise Violation("JSON_INVALID") from error
    counter = [0]
    _check_values(event, [], 1, counter)
    if counter[0] > 2_000:
        raise Violation("EVENT_TOO_MANY_KEYS")
    _event(event, [])
    if seconds(event["timestamp"]) > now + 3600:
        raise Violation("TIMESTAMP_AHEAD", ["timestamp"])
    identity = event["audit_id"]
    if identity[14] == "7" and identity[19] in "89ab" and int(identity[:8] + identity[9:13], 16) > (now + 3600) * 1000:
        raise Violation("AUDIT_ID_AHEAD", ["audit_id"])
    if event["event_type"] in _reserved_types or event["event_type"].startswith(_reserved):
        raise Violation("EVENT_TYPE_RESERVED", ["event_type"])
    _check_actors(event)
    if "sealed" in event:
        _check_sealed(event)
    text = canonical(event)
    if len(text.encode()) > _most_bytes:
        raise Violation("EVENT_TOO_LARGE")
    return text
