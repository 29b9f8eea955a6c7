"""A device at a development server, as schemathesis's way of authentication: `SCHEMATHESIS_HOOKS=device.py MOA_URL=…
MOA_ROLE=…`, of a buyer unless told otherwise. `device.py FILE` enrols a phone and keeps its key there, for `MOA_KEY`; it prints
the phone number.

Enrols, vouches for a session key, and proves each request by it (RFC 9449), with nothing of Moa's own code: COSE_Sign1 (RFC
9052) over canonical CBOR and JWTs, written out.
"""

import base64
import hashlib
import json
import os
import re
import sys
import time
import urllib.parse
import urllib.request
import uuid

import requests.auth
import schemathesis

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

PROTECTED = bytes.fromhex("a10126")  # {1: -7}: ES256
PHONES = iter(f"010-1234-{number:04}" for number in range(5678, 9999))
MONTH = 31 * 24 * 60 * 60


def cbor(major, value):
    if value < 24:
        return bytes([major << 5 | value])
    width = next(width for width in (1, 2, 4, 8) if value < 1 << 8 * width)
    return bytes([major << 5 | 23 + width.bit_length()]) + value.to_bytes(width, "big")


def byte_string(value):
    return cbor(2, len(value)) + value


def encoded(value):
    """Deterministic CBOR: whole numbers, byte strings, texts, arrays."""
    if isinstance(value, int):
        return cbor(0, value)
    if isinstance(value, bytes):
        return byte_string(value)
    if isinstance(value, str):
        return cbor(3, len(value.encode())) + value.encode()
    return cbor(4, len(value)) + b"".join(map(encoded, value))


def key_id(key):
    return hashlib.sha256(point(key)).digest()[:8]


def point(key):
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(key, message):
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(key, aad, *fields):
    """A COSE_Sign1 over `[1, fields…]`, in base64."""
    payload = cbor(4, len(fields) + 1) + cbor(0, 1) + b"".join(fields)
    name = b"Signature1"
    signed = cbor(4, 4) + cbor(3, len(name)) + name + b"".join(map(byte_string, (PROTECTED, aad, payload)))
    signature = sign(key, signed)
    whole = cbor(4, 4) + byte_string(PROTECTED) + cbor(5, 0) + byte_string(payload) + byte_string(signature)
    return base64.b64encode(whole).decode()


def base64url(value):
    value = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def proof(key, method, url, access=None):
    jwk = {"kty": "EC", "crv": "P-256", "x": base64url(point(key)[1:33]), "y": base64url(point(key)[33:])}
    claims = {"jti": uuid.uuid4().hex, "htm": method, "htu": url.split("?")[0], "iat": int(time.time())}
    if access:
        claims["ath"] = base64url(hashlib.sha256(access.encode()).digest())
    signed = base64url({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}) + "." + base64url(claims)
    return signed + "." + base64url(sign(key, signed.encode()))


def ask(url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"} | (headers or {}))
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def code(url, phone, enrolment):
    inbox = f"{url}/v1/development/inbox?phone={urllib.parse.quote(phone)}"
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for message in ask(inbox)["messages"]:
            if message["id"] == enrolment:
                return re.search(r"\d{6}", message["text"]).group()
        time.sleep(0.05)
    sys.exit("no code came")


class Device:
    """A key that signs ops: a phone's that the server enrolled, or one that a phone added."""

    def __init__(self, url, key=None):
        self.url, self.key, self.counter = url, key or generate(), 0

    def enrol(self, phone):
        public_key = base64.b64encode(point(self.key)).decode()
        enrolment = ask(f"{self.url}/v1/enrolments", {"phone": phone, "public_key": public_key})["enrolment"]
        confirmation = {
            "code": code(self.url, phone, enrolment),
            "possession": token(self.key, b"moa/possession", byte_string(bytes.fromhex(enrolment))),
        }
        ask(f"{self.url}/v1/enrolments/{enrolment}/confirm", confirmation)
        return self

    def take_number(self):
        self.counter += 1
        return self.counter

    def does(self, *body):
        """Sends an op, which has to be applied."""
        now = time.time_ns() // 1_000_000
        op_id = bytearray(now.to_bytes(6, "big") + os.urandom(10))
        op_id[6], op_id[8] = 0x70 | op_id[6] & 0x0F, 0x80 | op_id[8] & 0x3F
        fields = (bytes(op_id), key_id(self.key), self.take_number(), now // 1_000, list(body))
        op = token(self.key, b"moa/op", *map(encoded, fields))
        verdict = ask(f"{self.url}/v1/ops", {"ops": [op]})["verdicts"][0]
        if verdict["verdict"] != "applied":
            sys.exit(f"{body[0]}: {verdict}")

    def adds(self, *kind):
        """Lets in a browser, or registers a shop's computer."""
        added = Device(self.url)
        self.does(23, key_id(added.key), point(added.key), list(kind))
        return added


def newcomer(url):
    return Device(url).enrol(next(PHONES))


def owner(url):
    shop = newcomer(url)
    shop.does(1, ["Cafe", list(b"KRW")])
    return shop


def group_admin(url):
    shop = owner(url)
    terms = [0, 300, [0, [6]], 1_000, 1, list(b"KRW"), 0, 0, "Asia/Seoul"]
    shop.does(2, ["Alley", 1], terms)
    return shop


def staff(url):
    shop, clerk = group_admin(url), newcomer(url)
    fields = (key_id(shop.key), shop.take_number(), int(time.time()) + 3_600, [100_000, 1_000_000])
    invitation = token(shop.key, b"moa/staff-invitation", *map(encoded, fields))
    clerk.does(16, base64.b64decode(invitation))
    return clerk


def browser(url):
    return group_admin(url).adds(1, (int(time.time()) + 86_400) * 1_000)


def service(url):
    return group_admin(url).adds(2)


def operator(url):
    """One whom `moa operator appoint` made so: the key was kept."""
    with open(os.environ["MOA_KEY"], "rb") as file:
        return Device(url, load_pem_private_key(file.read(), None))


ROLES = {role.__name__: role for role in (owner, group_admin, staff, browser, service, operator)} | {"buyer": newcomer}


class Session(requests.auth.AuthBase):
    """Has a device of a role, and puts token and proof to each request as it goes out."""

    def __init__(self, url, role):
        self.url, self.key, self.session_key = url, ROLES[role](url).key, generate()
        self.access, self.until = None, 0

    def token(self):
        if time.monotonic() < self.until:
            return self.access
        now, keys = int(time.time()), (key_id(self.key), point(self.session_key))
        fields = (*map(byte_string, keys), cbor(0, now), cbor(0, now + MONTH))
        request = {"endorsement": token(self.key, b"moa/session", *fields), "name": "schemathesis"}
        where = f"{self.url}/v1/sessions"
        self.access = ask(where, request, {"DPoP": proof(self.session_key, "POST", where)})["token"]
        self.until = time.monotonic() + 5 * 60
        return self.access

    def __call__(self, request):
        # What begins a session, or goes on with one, has no token yet.
        access = None if "/v1/sessions" in request.url else self.token()
        if access:
            request.headers["Authorization"] = f"DPoP {access}"
        request.headers["DPoP"] = proof(self.session_key, request.method, request.url, access)
        return request


def generate():
    return ec.generate_private_key(ec.SECP256R1())


if __name__ == "__main__":
    phone = next(PHONES)
    pem = Device(os.environ["MOA_URL"]).enrol(phone).key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    with open(sys.argv[1], "wb") as file:
        file.write(pem)
    print(phone)
else:
    # Numbers of this run alone: another role's run may have its own.
    PHONES = iter(f"010-{os.getpid() % 9_000 + 1_000}-{number:04}" for number in range(1_000, 9_999))
    schemathesis.auth.set_from_requests(Session(os.environ["MOA_URL"], os.environ.get("MOA_ROLE", "buyer")))
