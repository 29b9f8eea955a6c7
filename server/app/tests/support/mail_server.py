"""A mail server on a free port of this machine: says the port, then a line of JSON for each mail and each refusal.

Wants the user `moa` with the password `open sesame`. Nobody lives at nobody@; later@ is full the first time.
Ends with its standard input.
"""

import asyncio
import email
import email.policy
import json
import sys

from aiosmtpd.smtp import SMTP, AuthResult


def say(what):
    print(json.dumps(what), flush=True)


class Handler:
    def __init__(self):
        self.full = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "nobody":
            say({"refused": address})
            return f"550 5.1.1 no such mailbox {address}"
        if name == "later" and address not in self.full:
            self.full.add(address)
            say({"refused": address})
            return "452 4.2.2 mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {kind: mail.get_body((kind,)).get_content() for kind in ("plain", "html")}
        headers = {name.lower(): str(value) for name, value in mail.items()}
        say({"from": envelope.mail_from, "to": envelope.rcpt_tos, "headers": headers, **parts})
        return "250 taken"


def check(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"moa", b"open sesame"))


async def main():
    loop, handler, over = asyncio.get_running_loop(), Handler(), asyncio.Event()
    protocol = lambda: SMTP(handler, authenticator=check, auth_required=True, auth_require_tls=False, enable_SMTPUTF8=True)
    server = await loop.create_server(protocol, "127.0.0.1", 0)
    say(server.sockets[0].getsockname()[1])
    loop.add_reader(sys.stdin, over.set)
    await over.wait()


asyncio.run(main())
