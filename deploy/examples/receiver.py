"""An application that takes messages by webhook: it checks the signature and answers 200.

    TWOWAY_SECRET=whsec_… python deploy/examples/receiver.py 8000

It needs only Python's standard library. A message may come twice: `seen` knows the last ids. What
it prints is where your own work begins. Answer within 15 seconds, and 2xx only for what is safe.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from collections import OrderedDict
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRETS = os.environ["TWOWAY_SECRET"].split()  # two of them while a secret is changed
MOST_SECONDS = 300  # a signature that is older may be a recording
MOST_OCTETS = 1_000_000
MOST_IDS = 100_000
seen: "OrderedDict[str, None]" = OrderedDict()


def is_signed(headers: Message, body: bytes) -> bool:
    """Whether we, and nobody else, sent this body, and lately."""
    try:
        message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        if abs(time.time() - int(timestamp)) > MOST_SECONDS:
            return False
        content = f"{message_id}.{timestamp}.".encode() + body
        given = [each.partition(",") for each in headers["webhook-signature"].split()]
    except (AttributeError, TypeError, ValueError):
        return False
    for secret in SECRETS:
        key = base64.b64decode(secret.removeprefix("whsec_"))
        right = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
        for version, _, signature in given:
            if version == "v1" and hmac.compare_digest(right, signature.encode()):
                return True
    return False


class WebhookReceiver(BaseHTTPRequestHandler):
    """Answers 200 for what was taken, 401 for what is not ours."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        if length > MOST_OCTETS:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        if not is_signed(self.headers, body):
            self.send_error(401)
            return
        message_id = self.headers["webhook-id"]
        if message_id not in seen:
            print(json.dumps(json.loads(body)), flush=True)  # your own work
            seen[message_id] = None
            if len(seen) > MOST_IDS:
                seen.popitem(last=False)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing: an address or a text would be in the log."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), WebhookReceiver)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/", file=sys.stderr, flush=True)
    server.serve_forever()
