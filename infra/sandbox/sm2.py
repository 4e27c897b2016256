"""SM2 signatures (GM/T 0003) and the little DER that a vendor's CA needs: an independent reading, for tests only.

Plain integers, not constant in time: nothing here may ever sign anything of value.
"""

import secrets

from cryptography.hazmat.primitives import hashes

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
IDENTITY = b"1234567812345678"

INTEGER, BIT_STRING, OCTET_STRING, OID, UTC_TIME, SEQUENCE, SET = 0x02, 0x03, 0x04, 0x06, 0x17, 0x30, 0x31


class NotDer(Exception):
    """The bytes are not the structure that must stand there."""


def sm3(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def add(p, q):
    """Affine addition; None is the point at infinity."""
    if p is None:
        return q
    if q is None:
        return p
    if p[0] == q[0]:
        if (p[1] + q[1]) % P == 0:
            return None
        slope = (3 * p[0] * p[0] + A) * pow(2 * p[1], -1, P) % P
    else:
        slope = (q[1] - p[1]) * pow(q[0] - p[0], -1, P) % P
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P


def multiply(k: int, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def encode_point(point) -> bytes:
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def decode_point(data: bytes):
    if len(data) != 65 or data[0] != 4:
        raise NotDer("not an uncompressed point")
    x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:], "big")
    if x >= P or y >= P or (y * y - x * x * x - A * x - B) % P:
        raise NotDer("the point is not on the curve")
    return x, y


def digest(point, message: bytes) -> int:
    """e = SM3(Z || M)."""
    curve = b"".join(value.to_bytes(32, "big") for value in (A, B, *G, *point))
    z = sm3(len(IDENTITY * 8).to_bytes(2, "big") + IDENTITY + curve)
    return int.from_bytes(sm3(z + message), "big")


class Key:
    """A private key with its public point."""

    def __init__(self, d: int | None = None):
        self.d = secrets.randbelow(N - 2) + 1 if d is None else d
        self.point = multiply(self.d, G)

    @staticmethod
    def from_pkcs8(der: bytes) -> "Key":
        """Reads RFC 5958 around RFC 5915; the optional parts do not matter."""
        try:
            _, _, (_, inner, _), *_ = elements(whole(SEQUENCE, der))
            _, (tag, d, _), *_ = elements(whole(SEQUENCE, inner))
        except ValueError:
            raise NotDer("not a private key") from None
        if tag != OCTET_STRING or len(d) != 32:
            raise NotDer("not a private key")
        return Key(int.from_bytes(d, "big"))

    def sign(self, message: bytes) -> bytes:
        e = digest(self.point, message)
        while True:
            k = secrets.randbelow(N - 1) + 1
            r = (e + multiply(k, G)[0]) % N
            if r == 0 or r + k == N:
                continue
            s = pow(1 + self.d, -1, N) * (k - r * self.d) % N
            if s:
                return sequence(integer(r), integer(s))

    def pkcs8(self) -> bytes:
        """Not encrypted: RFC 5958 around RFC 5915."""
        inner = sequence(
            integer(1), tlv(OCTET_STRING, self.d.to_bytes(32, "big")), tlv(0xA1, bits(encode_point(self.point)))
        )
        return sequence(integer(0), sequence(oid("1.2.840.10045.2.1"), oid("1.2.156.10197.1.301")), tlv(OCTET_STRING, inner))


def verifies(point, message: bytes, signature: bytes) -> bool:
    try:
        r, s = (int.from_bytes(value, "big") for _, value, _ in elements(whole(SEQUENCE, signature)))
    except (NotDer, ValueError):
        return False
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N) or t == 0:
        return False
    found = add(multiply(s, G), multiply(t, point))
    return found is not None and (digest(point, message) + found[0]) % N == r


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, *parts)


def integer(value: int) -> bytes:
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def bits(content: bytes, unused: int = 0) -> bytes:
    return tlv(BIT_STRING, bytes([unused]), content)


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    out = bytearray()
    for arc in (first * 40 + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        out += bytes(reversed(septets))
    return tlv(OID, bytes(out))


def elements(content: bytes) -> list[tuple[int, bytes, bytes]]:
    """Tag, content and all bytes of each element."""
    found = []
    while content:
        if len(content) < 2:
            raise NotDer("ends early")
        length, start = content[1], 2
        if length & 0x80:
            count = length & 0x7F
            if not 1 <= count <= 3 or len(content) < 2 + count:
                raise NotDer("length")
            length, start = int.from_bytes(content[2 : 2 + count], "big"), 2 + count
        if len(content) < start + length:
            raise NotDer("ends early")
        found.append((content[0], content[start : start + length], content[: start + length]))
        content = content[start + length :]
    return found


def whole(tag: int, data: bytes) -> bytes:
    """The content of the one element."""
    found = elements(data)
    if len(found) != 1 or found[0][0] != tag:
        raise NotDer("another element")
    return found[0][1]
