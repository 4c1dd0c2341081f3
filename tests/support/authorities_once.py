"""The authorities of the web are read once in a process of the tests, and not for each client.

A client of httpx reads them in 20 ms, also one that calls this machine without TLS.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

from httpx._transports import default

if TYPE_CHECKING:
    import ssl

OF_OPENSSL: Final = {"SSL_CERT_FILE", "SSL_CERT_DIR"}


def read_authorities_once() -> None:
    """From now on clients of httpx that are told nothing of TLS share a context."""
    make = default.create_ssl_context
    usual = cache(make)

    def shared(
        verify: ssl.SSLContext | str | bool = True,
        cert: object = None,
        trust_env: bool = True,
    ) -> ssl.SSLContext:
        is_told = verify is not True or cert or OF_OPENSSL & os.environ.keys()
        return make(verify, cert, trust_env) if is_told else usual()  # type: ignore[arg-type]

    default.create_ssl_context = shared
