"""The stand-in's TLS certificates: one whose authority clients can trust, and a wrong one."""

from __future__ import annotations

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

AUTHORITY: Final = "gateway-ca.pem"  # in the home: the authority that clients trust
RIGHT: Final = "gateway-tls.pem"
WRONG: Final = "gateway-tls-wrong.pem"  # its authority is not written, so nobody can trust it
DAYS: Final = 825
_SPARE: Final = timedelta(days=1)


class Certificates:
    """The certificate files in the home, for servers that clients call by `names`."""

    def __init__(self, home: Path, names: Sequence[str]) -> None:
        self._home = home
        self._names = tuple(dict.fromkeys(names))
        self.authority = home / AUTHORITY

    def make(self) -> None:
        """Write the files if one is absent, unreadable, expired or lacks one of the names."""
        if not self._is_usable():
            self.authority.write_bytes(_write_chain(self._home / RIGHT, self._names))
            _write_chain(self._home / WRONG, self._names)

    def context(self, is_wrong: Callable[[], object]) -> ssl.SSLContext:
        """A TLS context for asyncio; `is_wrong` is called at each handshake.

        If `is_wrong` returns true, the server shows the wrong certificate.
        """
        right = _context(self._home / RIGHT)

        def choose(connection: ssl.SSLObject, _name: str | None, _context: object) -> None:
            if is_wrong():
                connection.context = self._wrong

        right.sni_callback = choose  # also called when the client sends no server name
        return right

    @cached_property
    def _wrong(self) -> ssl.SSLContext:
        return _context(self._home / WRONG)

    def openssl_context(self, is_wrong: Callable[[], object]) -> Any:
        """Like `context`, for pyftpdlib, which needs a context of pyOpenSSL."""
        from OpenSSL import SSL

        made = []
        for name in (RIGHT, WRONG):
            context = SSL.Context(SSL.TLS_SERVER_METHOD)
            context.use_certificate_chain_file(str(self._home / name))
            context.use_privatekey_file(str(self._home / name))
            made.append(context)
        right, wrong = made

        def choose(connection: SSL.Connection) -> None:
            if is_wrong():
                connection.set_context(wrong)

        right.set_tlsext_servername_callback(choose)
        return right

    def _is_usable(self) -> bool:
        from cryptography import x509

        files = [self._home / name for name in (RIGHT, WRONG)]
        if not self.authority.is_file() or not all(file.is_file() for file in files):
            return False
        try:
            found = x509.load_pem_x509_certificate(files[0].read_bytes())
            authority = x509.load_pem_x509_certificate(self.authority.read_bytes())
            found.verify_directly_issued_by(authority)
            names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except Exception:  # whatever is wrong with our own file, it is written again
            return False
        known = {str(name.value) for name in names}
        return known >= set(self._names) and found.not_valid_after_utc - _SPARE > datetime.now(UTC)


def _context(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(file)
    return context


def _write_chain(file: Path, names: Sequence[str]) -> bytes:
    """Write a key and its certificate, mode 0600; return the authority's certificate as PEM.

    The authority's key is not kept.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def name_of(words: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])

    def builder(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name_of(subject))
            .issuer_name(name_of("Gateway stand-in"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SPARE)
            .not_valid_after(now + timedelta(days=DAYS))
        )

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = (
        builder("Gateway stand-in", authority_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        builder("stand-in", key)
        .add_extension(x509.SubjectAlternativeName([_name(each) for each in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    octets = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(pem)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(octets)
    return authority.public_bytes(pem)


def _name(text: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
