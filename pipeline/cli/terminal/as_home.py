"""How a command asks the report of its home: with the home's token, and by TLS where it is set.

The token goes to this machine, or by TLS.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipeline.cli.terminal.failure import CommandError
from pipeline.web.access import is_loopback_host

if TYPE_CHECKING:
    from pipeline.settings import Settings

_END: Final = "-----END CERTIFICATE-----"
_asking: list[Settings] = []  # of this command, the last first


def ask_as(settings: Settings) -> None:
    """From now on ask as whoever may read this home."""
    _asking.insert(0, settings)
    del _asking[1:]


def headers_for(url: str) -> dict[str, str]:
    """What shows the report at this address who asks; nothing where the home has no token."""
    parts = urlsplit(url)
    if not _asking or not (parts.scheme == "https" or is_loopback_host(parts.hostname or "")):
        return {}
    from pipeline.store.report.who.home_secrets import token_of_home

    token = token_of_home(_asking[0].home)
    return {"Authorization": f"Bearer {token}"} if token else {}


def context_for(url: str) -> ssl.SSLContext | None:
    """TLS to the report. A certificate that the settings name is the only one that is trusted.

    It names no loopback address, so the name is not looked at then.
    """
    if urlsplit(url).scheme != "https":
        return None
    context = ssl.create_default_context()
    certificate = _asking[0].report_tls_cert if _asking else ""
    if not certificate:
        return context
    pinned = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pinned.check_hostname = False
    try:
        first, _, _ = Path(certificate).read_text("ascii", "replace").partition(_END)
        pinned.load_verify_locations(cadata=f"{first}{_END}\n")
    except (OSError, ssl.SSLError) as error:
        raise CommandError(f"report_tls_cert: {error}") from error
    pinned.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return pinned
