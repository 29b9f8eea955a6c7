"""Enrols a device at a development server and prints its token: `enrol.py URL PHONE`.

Signs the proof of possession with nothing of Moa's own code: COSE_Sign1 (RFC 9052) over canonical CBOR, written out.
"""

import base64
import json
import re
import sys
import time
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PROTECTED = bytes.fromhex("a10126")  # {1: -7}: ES256
AAD = b"moa/possession"


def cbor(major, length):
    return bytes([major << 5 | length]) if length < 24 else bytes([major << 5 | 24, length])


def byte_string(value):
    return cbor(2, len(value)) + value


def possession(key, enrolment):
    payload = cbor(4, 2) + cbor(0, 1) + byte_string(enrolment)
    name = b"Signature1"
    signed = cbor(4, 4) + cbor(3, len(name)) + name + b"".join(map(byte_string, (PROTECTED, AAD, payload)))
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    token = cbor(4, 4) + byte_string(PROTECTED) + cbor(5, 0) + byte_string(payload) + byte_string(signature)
    return base64.b64encode(token).decode()


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
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


def main():
    url, phone = sys.argv[1:]
    key = ec.generate_private_key(ec.SECP256R1())
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    enrolment = ask(f"{url}/v1/enrolments", {"phone": phone, "public_key": base64.b64encode(point).decode()})["enrolment"]
    confirmation = {
        "code": code(url, phone, enrolment),
        "possession": possession(key, bytes.fromhex(enrolment)),
    }
    print(ask(f"{url}/v1/enrolments/{enrolment}/confirm", confirmation)["token"])


if __name__ == "__main__":
    main()
