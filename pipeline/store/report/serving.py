"""What the report reads before the store gives up its rights to other files."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING

from pipeline.store.report.who.home_secrets import HomeSecretsError, secrets_of_home
from pipeline.store.report.who.public_address import PublicAddress
from pipeline.web.access import AccessError

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings
    from pipeline.store.report.who.home_secrets import HomeSecrets
    from pipeline.store.report.who.single_sign_on.flow import SingleSignOn

log = logging.getLogger(__name__)


def tls_of_report(settings: Settings) -> ssl.SSLContext | None:
    """TLS 1.2 or later when a certificate and its key are set; raises `AccessError`."""
    certificate, key = settings.report_tls_cert, settings.report_tls_key
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise AccessError("report_tls_cert and report_tls_key belong together")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise AccessError(f"report_tls_cert, report_tls_key: {error}") from error
    return context


def secrets_or_none(home: Path) -> HomeSecrets | None:
    """The secrets of the home. Without them the command line cannot sign in where users are set."""
    try:
        return secrets_of_home(home)
    except HomeSecretsError as error:
        log.warning("the command line cannot sign in to the report: %s", error)
        return None


def single_sign_on_of(settings: Settings) -> SingleSignOn | None:
    """Single sign-on, where an issuer is set; raises `AccessError`."""
    if not settings.report_oidc_issuer:
        return None
    from pipeline.store.report.who.single_sign_on.flow import SingleSignOn

    return SingleSignOn(settings, PublicAddress(settings))
