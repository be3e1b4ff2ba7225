"""The certificates by which a network's gateways prove themselves: an authority of the network's own.

All its certificates carry one fixed name, so that a gateway's address may change. What they prove is that the
server belongs to the network; devices trust this one authority and no other for it. Gateways of one network
that speak to each other check addresses as well, so their certificates carry those, too.
"""

import datetime
import hashlib
import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from easynet.core.errors import DataDirectoryUnusable

SERVER_NAME: Final = "easynet-gateway"
_VALID_FOR: Final = datetime.timedelta(days=3650)
_CLOCK_SKEW: Final = datetime.timedelta(days=1)
"""Clocks of devices may be behind the gateway's."""


@dataclass(frozen=True)
class TlsFiles:
    """A server's certificate, its private key, and the authority that made it."""

    certificate: Path
    key: Path
    ca: Path


def certificates_in(folder: Path, hosts: Sequence[str] = ()) -> TlsFiles:
    """The certificates in the folder, made at the first time; raises DataDirectoryUnusable.

    The server's carries `hosts` beside the fixed name, and is made again where it does not.
    """
    files = TlsFiles(certificate=folder / "server.pem", key=folder / "server.key", ca=folder / "ca.pem")
    try:
        if not (
            files.certificate.exists()
            and files.key.exists()
            and files.ca.exists()
            and (not hosts or _names_in(files.certificate).issuperset(hosts))
        ):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make(files, folder / "ca.key", hosts)
    except OSError as error:
        raise DataDirectoryUnusable.at(folder, error) from error
    return files


def fingerprint(ca: str) -> bytes:
    """The SHA-256 digest of a certificate in PEM; raises ValueError."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(ca)).digest()


def trusting(ca: str) -> ssl.SSLContext:
    """What connects to the servers of one network alone; raises ssl.SSLError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(cadata=ca)
    return context


def unproven() -> ssl.SSLContext:
    """What connects to any server. Only good to be told something that is checked by other means."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _make(files: TlsFiles, ca_key: Path, hosts: Sequence[str]) -> None:
    # Only a gateway beyond loopback needs the library.
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if ca_key.exists() and files.ca.exists():
        loaded = load_pem_private_key(ca_key.read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        authority_key = loaded
    else:
        authority_key = ec.generate_private_key(ec.SECP256R1())
        _write(ca_key, _pem_of_key(authority_key))
        _write(files.ca, _certificate(authority_key, authority_key, is_authority=True))
    server_key = ec.generate_private_key(ec.SECP256R1())
    _write(files.key, _pem_of_key(server_key))
    _write(files.certificate, _certificate(server_key, authority_key, is_authority=False, hosts=hosts))


def _certificate(key: Any, signed_by: Any, *, is_authority: bool, hosts: Sequence[str] = ()) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "EasyNet network")])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, SERVER_NAME)])
    now = datetime.datetime.now(datetime.UTC)
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        x509.CertificateBuilder()
        .subject_name(issuer if is_authority else subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signed_by.public_key()), False)
    )
    if is_authority:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = builder.add_extension(usage, True)
    else:
        names = x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME), *map(_alternative_name, hosts)])
        builder = builder.add_extension(names, False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), False)
    made = builder.sign(signed_by, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM)


def _alternative_name(host: str) -> Any:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _names_in(certificate: Path) -> set[str]:
    """The names and addresses that a certificate carries."""
    from cryptography import x509

    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = loaded.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return set()
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*names.get_values_for_type(x509.DNSName), *map(str, addresses)}


def _pem_of_key(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    draft.replace(path)
