"""The login of Kafka as Faust has it: every client that Faust makes gets it from the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials

from pipeline.kafka.login.options import serving_options

if TYPE_CHECKING:
    from faust.types.auth import CredentialsT


def credentials_of(bootstrap: str) -> CredentialsT | None:
    """From the options that every client has; None for neither TLS nor SASL."""
    options: dict[str, Any] = serving_options(bootstrap)
    tls = options.get("ssl_context")
    if tokens := options.get("sasl_oauth_token_provider"):
        return OAuthCredentials(oauth_cb=tokens, ssl_context=tls)
    if mechanism := options.get("sasl_mechanism"):
        return SASLCredentials(
            username=options["sasl_plain_username"],
            password=options["sasl_plain_password"],
            ssl_context=tls,
            mechanism=mechanism,
        )
    return SSLCredentials(tls) if tls else None
