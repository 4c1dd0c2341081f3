"""By which address browsers reach the report, and so which cookies it sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from pipeline.web.access import AccessError, is_loopback_host

if TYPE_CHECKING:
    from pipeline.settings import Settings

_NAMES: Final = ("session", "form", "single-sign-on")


class PublicAddress:
    """The address of the setting `report_url`, or what follows from where the report listens."""

    def __init__(self, settings: Settings) -> None:
        """Raises `AccessError` for an address that cannot be."""
        self.url = settings.report_url.rstrip("/")
        self._host = settings.report_host
        try:
            parts = urlsplit(self.url)
            name, scheme = parts.hostname or "", parts.scheme
        except ValueError:
            name, scheme = "", "?"
        if self.url and (scheme not in ("http", "https") or not name or parts.query):
            raise AccessError("report_url is an address such as https://reports.example.com")
        self.is_secure = bool(settings.report_tls_cert) or scheme == "https"
        self._is_named_loopback = bool(name) and is_loopback_host(name)
        # `__Host-`: no other name of the site sets it (RFC 6265bis 4.1.3.2).
        prefix = "__Host-twoway-" if self.is_secure else "twoway-"
        self.session_cookie, self.form_cookie, self.single_sign_on_cookie = (
            prefix + each for each in _NAMES
        )

    def refuse_clear(self) -> None:
        """Raises `AccessError` where a password would cross a network in the clear."""
        if self.is_secure or self._is_named_loopback:
            return
        if is_loopback_host(self._host) and not self.url:
            return
        raise AccessError(
            f"{self.url or self._host} is not loopback, and passwords would go there in the clear:"
            " set report_tls_cert and report_tls_key, or report_url=https://… if a proxy has the"
            " TLS (TWOWAY_REPORT_TLS_CERT, TWOWAY_REPORT_URL)"
        )
