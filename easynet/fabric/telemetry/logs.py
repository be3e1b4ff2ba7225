"""Logs of a gateway or a node: one line a record, and no secret in any of them."""

import contextlib
import logging
import math
import re
import sys
import time
from collections.abc import Mapping
from json import dumps
from typing import Any, Final, TextIO

from easynet.core.errors import UsageError, nearest

LEVELS: Final = ("debug", "info", "warning", "error")
_BORROWED: Final = ("asyncio", "nats")
"""Loggers of libraries whose warnings are about the network, too."""

_SECRETS: Final = re.compile(
    "|".join(
        (
            # The seed of an nkey. Public keys are shorter, and their letters may happen to begin like one.
            r"S[ACNOUX][A-Z2-7]{56,}",
            r"(?<![A-Z2-7])S[ACNOUX][A-Z2-7]{20,}",
            # A JSON Web Token: it begins with `{"` in base64.
            r"eyJ[A-Za-z0-9_.=-]{4,}",
            # An invitation or a capability token.
            r"en[a-z]\d_[A-Za-z0-9_.=-]+",
        )
    )
)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----(?s:.)*?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z)"
)
"""Looked for before all others, for its hyphens could be the end of a token."""
_ADDRESS: Final = re.compile(r"://\S*")
"""A URL to its end, so that each character is looked at once however often there is a `://` in it."""
_REDACTED: Final = "[redacted]"

_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What could end a line, steer a terminal, mislead a reader, or not be written at all."""
_BARE: Final = re.compile(r'[^\s"=\\]+')
"""A value that is legible without quotes."""

_MOST_CHARACTERS: Final = 4000
_DEEPEST: Final = 5
_LEADING: Final = ("time", "level", "logger", "message")
_OWN: Final = (*_LEADING, "error", "traceback")
_STANDARD: Final = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
"""What every record has; the rest was given with `extra`."""


def configure(level: str = "info", *, json: bool = False, stream: TextIO | None = None) -> None:
    """Write what EasyNet logs to `stream`, or stderr, and nowhere else; a second time replaces the first.

    Lines are `time level message key=value`, or JSON objects. Raises UsageError for an unknown level.
    """
    if level not in LEVELS:
        raise UsageError(
            f"{level!r} is not a level of logging",
            hint=nearest(level, LEVELS) or f"One of: {', '.join(LEVELS)}.",
        )
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_JsonLine() if json else _TextLine())
    own = logging.getLogger("easynet")
    own.setLevel(level.upper())
    for logger in (own, *map(logging.getLogger, _BORROWED)):
        for former in [h for h in logger.handlers if isinstance(h, _Handler)]:
            logger.removeHandler(former)
        logger.addHandler(handler)
        logger.propagate = False


def redacted(text: str) -> str:
    """`text` without seeds, tokens, private keys, and what stands before the @ of an address."""
    text = _PRIVATE_KEY.sub(_REDACTED, text)
    return _SECRETS.sub(_REDACTED, _ADDRESS.sub(_without_login, text))


def _without_login(address: re.Match[str]) -> str:
    _, at, host = address[0].rpartition("@")
    return f"://{_REDACTED}@{host}" if at else address[0]


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; a record that cannot be written is told of without what it holds."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say that a record was lost; the standard way would print its arguments as they are."""
        kind = getattr(sys.exc_info()[0], "__name__", "an error")
        with contextlib.suppress(OSError, ValueError):  # nobody listens
            self.stream.write(f"a log record of {record.name} was lost: {kind}\n")


class _TextLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = _fields(record)
        pairs = [f"{_shown(key)}={_shown(value)}" for key, value in fields.items() if key not in _LEADING]
        return " ".join((fields["time"], f"{fields['level']:<7}", _escaped(fields["message"]), *pairs))


class _JsonLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # What is escaped here stands within strings, where JSON means the same by it.
        return _UNSAFE.sub(_code, dumps(_fields(record), ensure_ascii=False))


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says, without secrets."""
    seconds, thousandths = divmod(int(record.created * 1000), 1000)
    fields: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{thousandths:03d}Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _cut(redacted(_message(record))),
    }
    for key, value in vars(record).items():
        if key not in _STANDARD:
            fields[f"{key}_" if key in _OWN else _cut(redacted(key))] = _clean(value)
    if record.exc_info and (error := record.exc_info[1]) is not None:
        fields["error"] = _clean(f"{type(error).__name__}: {error}")
        fields["traceback"] = _clean(logging.Formatter().formatException(record.exc_info))
    return fields


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return str(record.msg)  # its arguments do not fit


def _clean(value: Any, depth: int = 0) -> Any:
    """`value` as JSON can hold it, with no secret in it."""
    match value:
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case Mapping() if depth < _DEEPEST:
            return {_cut(redacted(str(key))): _clean(item, depth + 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
            return [_clean(item, depth + 1) for item in value]
        case bytes() | bytearray():
            return _cut(redacted(value.decode("utf-8", "replace")))
        case _:
            return _cut(redacted(str(value)))


def _cut(text: str) -> str:
    """`text` of a length that one line can bear; cut after secrets were found, for half of one is none."""
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…"


def _shown(value: Any) -> str:
    """A value of a `key=value` pair, in quotes where it would not be legible without."""
    text = value if isinstance(value, str) else dumps(value, ensure_ascii=False)
    is_bare = _BARE.fullmatch(text) is not None or not isinstance(value, str)
    return _escaped(text if is_bare else dumps(text, ensure_ascii=False))


def _escaped(text: str) -> str:
    return _UNSAFE.sub(_code, text)


def _code(match: re.Match[str]) -> str:
    return "\\n" if match[0] == "\n" else f"\\u{ord(match[0]):04x}"
