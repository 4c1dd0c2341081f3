"""Signatures by Standard Webhooks: known answers, and the libraries that verify them."""

from __future__ import annotations

import base64
import json
import subprocess
import time

import pytest

from pipeline.wire.webhook import headers_of, key_from_secret
from tests.support.npm import NODE, NPM_FOLDER, needs_package

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def test_the_known_answer_of_the_specification() -> None:
    """The vector that the reference libraries share (tests of standard-webhooks 1.0.0)."""
    headers = headers_of(
        [key_from_secret(SECRET)],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        payload=b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", id="without its beginning"),
        pytest.param("whsec_!!!!", id="no base64"),
        pytest.param("whsec_" + base64.b64encode(b"x" * 23).decode(), id="too short"),
        pytest.param("whsec_" + base64.b64encode(b"x" * 65).decode(), id="too long"),
        pytest.param("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", id="a character lost"),
    ],
)
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="a secret") as refused:
        key_from_secret(secret)
    assert secret.removeprefix("whsec_") not in str(refused.value)


PAYLOAD = json.dumps({"type": "message.received", "data": {"text": "é\U0001f600"}}).encode()


def signed(*secrets: str) -> dict[str, str]:
    keys = [key_from_secret(secret) for secret in secrets]
    now = int(time.time())
    return headers_of(keys, message_id="0" * 32, timestamp=now, payload=PAYLOAD)


@pytest.mark.parametrize("secrets", [(SECRET,), (OTHER, SECRET), (SECRET, OTHER)])
def test_the_library_of_pypi_verifies_ours_also_while_a_secret_is_changed(
    secrets: tuple[str, ...],
) -> None:
    standardwebhooks = pytest.importorskip("standardwebhooks")
    verified = standardwebhooks.Webhook(SECRET).verify(PAYLOAD, signed(*secrets))
    assert verified == json.loads(PAYLOAD)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(PAYLOAD + b" ", signed(*secrets))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(PAYLOAD, signed(OTHER))


SCRIPT = """
const { Webhook } = require("standardwebhooks");
const { secret, payload, headers } = JSON.parse(require("fs").readFileSync(0));
try { new Webhook(secret).verify(payload, headers); console.log("verified"); }
catch (error) { console.log("refused"); }
"""


@needs_package("standardwebhooks")
@pytest.mark.parametrize(
    ("secrets", "says"),
    [((SECRET,), "verified"), ((OTHER, SECRET), "verified"), ((OTHER,), "refused")],
)
def test_the_library_of_npm_verifies_ours_also_while_a_secret_is_changed(
    secrets: tuple[str, ...], says: str
) -> None:
    asked = {"secret": SECRET, "payload": PAYLOAD.decode(), "headers": signed(*secrets)}
    done = subprocess.run(
        [NODE, "-e", SCRIPT],
        input=json.dumps(asked),
        cwd=NPM_FOLDER,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.strip() == says, done.stderr
