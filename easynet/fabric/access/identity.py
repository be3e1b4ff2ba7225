"""Who a device is: an Ed25519 key that is made on the device and does not leave it."""

import base64
import contextlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import nkeys
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from easynet.core.errors import BadData, DataDirectoryUnusable

_SEED_BYTES: Final = 32
_PUBLIC_CHARACTERS: Final = 56


@dataclass(frozen=True)
class Identity:
    """A device's key pair, in the text form that NATS gives to the keys of users (nkeys)."""

    public: str
    """Names the device to everybody; begins with U."""
    seed: str = field(repr=False)
    """Makes the whole pair again; begins with SU. Whoever has it is this device."""
    _key: SigningKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls) -> Self:
        """A new identity, which nobody else has."""
        return cls._of(secrets.token_bytes(_SEED_BYTES))

    @classmethod
    def from_seed(cls, text: str) -> Self:
        """The identity that has this seed; raises BadData where the text is not the seed of a user's key."""
        try:
            prefix, raw = nkeys.decode_seed(text.encode())
            if prefix == nkeys.PREFIX_BYTE_USER and len(raw) == _SEED_BYTES:
                found = cls._of(bytes(raw))
                if found.seed == text:  # the library does not look at the checksum
                    return found
        except (nkeys.NkeysError, ValueError):
            pass
        raise BadData(
            "that is not the seed of a device's key", hint="A seed begins with SU and has 58 characters."
        )

    @classmethod
    def kept_at(cls, path: Path) -> Self:
        """The identity in the file, which is made, for this user alone, where there is none.

        Processes that do this at the same time get the same identity.
        """
        try:
            if not path.exists():
                _write_new(path, cls.generate().seed)
            if path.stat().st_mode & 0o077:
                raise DataDirectoryUnusable(
                    f"the private key {path} can be read by other users",
                    hint=f"Nobody else may have it. If nobody took it: chmod 600 {path}",
                )
            return cls.from_seed(path.read_text("utf-8").strip())
        except OSError as error:
            raise DataDirectoryUnusable.at(path, error) from error
        except (BadData, UnicodeDecodeError) as error:
            raise DataDirectoryUnusable(
                f"{path} does not hold a key",
                hint="Restore it from a copy, or remove it: the device then gets a new key, as a new device.",
            ) from error

    @classmethod
    def _of(cls, raw: bytes) -> Self:
        key = SigningKey(raw)
        return cls(
            public=_public_text(bytes(key.verify_key)),
            seed=nkeys.encode_seed(raw, nkeys.PREFIX_BYTE_USER).decode(),
            _key=key,
        )

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`: 64 bytes."""
        return self._key.sign(data).signature


def verify(public: str, data: bytes, signature: bytes) -> bool:
    """Whether the holder of the key `public` signed `data`; False also where either is malformed."""
    raw = _public_bytes(public)
    if raw is None:
        return False
    try:
        VerifyKey(raw).verify(data, signature)
    except (CryptoError, ValueError, TypeError):
        return False
    return True


def _public_text(raw: bytes) -> str:
    body = bytes([nkeys.PREFIX_BYTE_USER]) + raw
    return base64.b32encode(body + nkeys.crc16_checksum(body)).decode()


def _public_bytes(text: str) -> bytes | None:
    """The key in a text, or None where the text is not the public key of a user."""
    if len(text) != _PUBLIC_CHARACTERS:
        return None
    try:
        raw = base64.b32decode(text)[1:-2]
    except ValueError:
        return None
    return raw if _public_text(raw) == text else None


def _write_new(path: Path, text: str) -> None:
    """Put the text at the path, readable by this user alone; a file that is there by then stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a renaming, never takes the place of what another process has put there meanwhile.
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
