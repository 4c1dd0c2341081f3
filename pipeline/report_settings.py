"""The settings of the report: how browsers reach it, and who may sign in. Part of `Settings`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


def _secret(help: str) -> Any:
    return field(default="", metadata={"help": help, "secret": True})


@dataclass(frozen=True, kw_only=True)
class ReportSettings:
    """How browsers reach the report, and by whom they may be signed in."""

    report_url: str = _setting(
        "",
        "Address by which browsers reach the report, such as https://reports.example.com; https"
        " where a proxy has the TLS. Empty: report_host and report_port.",
    )
    report_tls_cert: str = _setting("", "Certificate chain (PEM) to serve the report by https.")
    report_tls_key: str = _setting("", "Private key (PEM) of report_tls_cert.")
    report_oidc_issuer: str = _setting(
        "", "Issuer of single sign-on to the report by OpenID Connect; empty: none."
    )
    report_oidc_client: str = _setting("", "The client id that the issuer knows the report by.")
    report_oidc_secret: str = _secret("The client secret; empty: a public client.")
    report_oidc_scope: str = _setting("openid profile", "The scopes to ask the issuer for.")
    report_oidc_name: str = _setting(
        "preferred_username", "The claim with a user's name; sub where it is absent."
    )
    report_oidc_roles: str = _setting(
        "roles", "The claim with a user's roles; points lead into objects: realm_access.roles."
    )
    report_oidc_rights: str = _setting(
        "",
        "What each role may: role=right+right, comma-separated; the rights are numbers, texts,"
        " download, decide, sql and accounts.",
    )
    report_oidc_ca: str = _setting(
        "", "Certificates (PEM) to trust at the issuer; empty: those the system trusts."
    )
