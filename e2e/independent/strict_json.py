"""A strict JSON parser (RFC 8259), and the canonical form of JSON (RFC 8785).

Every number is a float, as in JavaScript. A repeated member is an error. The parser does not recurse: deeply nested hostile
text takes memory in proportion to its length, and can not exhaust the stack.
"""

import re


class JsonError(ValueError):
    """The text is not JSON."""


class DuplicateKey(JsonError):
    """The text is JSON, but a member of an object occurs twice."""


_space = re.compile(r"[ \t\n\r]*")
_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_plain = re.compile(r'[^"\\\x00-\x1f]*')
_hex4 = re.compile(r"[0-9a-fA-F]{4}")
_escapes = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_words = {"true": True, "false": False, "null": None}


def parse(text, most_levels=None):
    """Parses a JSON text. Raises DuplicateKey only if the whole text is valid JSON. `most_levels` bounds its nesting."""
    duplicate = False
    stack = []  # [container, name of the member that is being read]
    at = _space.match(text, 0).end()
    while True:
        # A value begins here.
        unit = text[at : at + 1]
        if unit in ("{", "[") and most_levels is not None and len(stack) >= most_levels:
            raise JsonError("the text is nested too deeply")
        if unit == "{":
            at = _space.match(text, at + 1).end()
            if text[at : at + 1] == "}":
                value, at = {}, at + 1
            else:
                name, at = _name(text, at)
                stack.append([{}, name])
                continue
        elif unit == "[":
            at = _space.match(text, at + 1).end()
            if text[at : at + 1] == "]":
                value, at = [], at + 1
            else:
                stack.append([[], None])
                continue
        else:
            value, at = _scalar(text, at)
        # A value has ended. Add it to the open container, and close all containers that end here.
        while True:
            at = _space.match(text, at).end()
            if not stack:
                if at != len(text):
                    raise JsonError("more than one value")
                if duplicate:
                    raise DuplicateKey("a member is repeated")
                return value
            container, name = stack[-1]
            closing = "]"
            if isinstance(container, dict):
                duplicate = duplicate or name in container
                container[name] = value
                closing = "}"
            else:
                container.append(value)
            unit = text[at : at + 1]
            if unit == closing:
                value, at = container, at + 1
                stack.pop()
                continue
            if unit != ",":
                raise JsonError("a comma or an end was expected")
            at = _space.match(text, at + 1).end()
            if closing == "}":
                stack[-1][1], at = _name(text, at)
            break


def _name(text, at):
    name, at = _string(text, at)
    at = _space.match(text, at).end()
    if text[at : at + 1] != ":":
        raise JsonError("a colon was expected")
    return name, _space.match(text, at + 1).end()


def _scalar(text, at):
    if text[at : at + 1] == '"':
        return _string(text, at)
    number = _number.match(text, at)
    if number:
        return float(number.group()), number.end()
    for word, value in _words.items():
        if text.startswith(word, at):
            return value, at + len(word)
    raise JsonError("a value was expected")


def _string(text, at):
    if text[at : at + 1] != '"':
        raise JsonError("a string was expected")
    parts = []
    at += 1
    while True:
        plain = _plain.match(text, at)
        parts.append(plain.group())
        at = plain.end()
        unit = text[at : at + 1]
        if unit == '"':
            break
        if unit != "\\":
            raise JsonError("a string does not end, or holds a control character")
        letter = text[at + 1 : at + 2]
        if letter == "u":
            digits = _hex4.match(text, at + 2)
            if not digits:
                raise JsonError("a malformed escape")
            parts.append(chr(int(digits.group(), 16)))
            at += 6
        elif letter in _escapes and letter:
            parts.append(_escapes[letter])
            at += 2
        else:
            raise JsonError("a malformed escape")
    whole = "".join(parts)
    if any("\ud800" <= unit <= "\udfff" for unit in whole):
        # Two escapes that form a surrogate pair are one character.
        whole = whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return whole, at + 1


def has_lone_surrogate(text):
    return any("\ud800" <= unit <= "\udfff" for unit in text)


def utf16_length(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def canonical(value):
    """The RFC 8785 text of a parsed value. Raises ValueError for a value that has no such text."""
    return _write(value, lambda members: sorted(members, key=lambda member: member[0].encode("utf-16-be", "surrogatepass")))


def compact(value):
    """The text of a parsed value without spaces, with the members in their order. Raises ValueError like canonical."""
    return _write(value, list)


def _write(value, ordered):
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, float):
        return canonical_number(value)
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, list):
        return "[" + ",".join(_write(item, ordered) for item in value) + "]"
    return "{" + ",".join(_quote(name) + ":" + _write(member, ordered) for name, member in ordered(value.items())) + "}"


def is_canonical(text):
    try:
        return canonical(parse(text)) == text
    except (ValueError, RecursionError):
        return False


def _quote(text):
    if has_lone_surrogate(text):
        raise ValueError("a lone surrogate")
    quoted = []
    for unit in text:
        point = ord(unit)
        if point in _short:
            quoted.append(_short[point])
        elif point < 32:
            quoted.append("\\u%04x" % point)
        else:
            quoted.append(unit)
    return '"' + "".join(quoted) + '"'


def canonical_number(number):
    """ECMAScript's Number::toString, from the shortest digits that Python's repr finds."""
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError("not finite")
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(digits)
    point = len(whole) - leading + int(exponent or 0)  # position of the decimal point, counted from the first digit
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = point - 1
    mantissa = digits if count == 1 else digits[0] + "." + digits[1:]
    return f"{sign}{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"
