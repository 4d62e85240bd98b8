"""Ed25519 verification, RFC 8032 section 5.1. Not constant-time: it handles public values only."""

import hashlib

_p = 2**255 - 19
_order = 2**252 + 27742317777372353535851937790883648493
_d = -121665 * pow(121666, _p - 2, _p) % _p
_sqrt_minus_1 = pow(2, (_p - 1) // 4, _p)


def _recover_x(y, sign):
    """Finds the x coordinate of a point: section 5.1.3, steps 2 to 4."""
    square = (y * y - 1) * pow(_d * y * y + 1, _p - 2, _p) % _p
    if square == 0:
        return None if sign else 0
    x = pow(square, (_p + 3) // 8, _p)
    if (x * x - square) % _p != 0:
        x = x * _sqrt_minus_1 % _p
    if (x * x - square) % _p != 0:
        return None
    return _p - x if x & 1 != sign else x


def _decompress(data):
    encoded = int.from_bytes(data, "little")
    y = encoded & ((1 << 255) - 1)
    if y >= _p:
        return None
    x = _recover_x(y, encoded >> 255)
    return None if x is None else (x, y, 1, x * y % _p)


def _compress(point):
    x, y, z, _ = point
    inverse = pow(z, _p - 2, _p)
    return ((y * inverse % _p) | ((x * inverse % _p & 1) << 255)).to_bytes(32, "little")


def _add(first, second):
    """Adds two points in extended homogeneous coordinates: section 5.1.4. It also works for a point and itself."""
    a = (first[1] - first[0]) * (second[1] - second[0]) % _p
    b = (first[1] + first[0]) * (second[1] + second[0]) % _p
    c = 2 * first[3] * second[3] * _d % _p
    d = 2 * first[2] * second[2] % _p
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % _p, g * h % _p, f * g % _p, e * h % _p)


def _multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar > 0:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


_base_y = 4 * pow(5, _p - 2, _p) % _p
_base_x = _recover_x(_base_y, 0)
_base = (_base_x, _base_y, 1, _base_x * _base_y % _p)


def verify(public_key, message, signature):
    """Whether the signature is valid: [S]B = R + [k]A, without the cofactor, comparing the encoding of R."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key = _decompress(public_key)
    s = int.from_bytes(signature[32:], "little")
    if key is None or s >= _order:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _order
    minus_key = (_p - key[0], key[1], 1, _p - key[3])
    return _compress(_add(_multiply(s, _base), _multiply(k, minus_key))) == signature[:32]
