"""Which language model a user means."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from easynet.core.errors import InvalidModel

_HINT: Final = "Write openai:NAME, anthropic:NAME, or http://HOST/v1#NAME for a server of your own."
_HINT_ZH: Final = "请写 openai:名称、anthropic:名称，自己的服务器则写 http://主机/v1#名称。"
_ADDRESS = re.compile(
    r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9](?!\S*\.\.)[a-z0-9.-]*)(?::\d{1,5})?(?:/[\w.~%-]*)*",
    re.ASCII | re.IGNORECASE,
)
"""So plain that all who take addresses apart find the same host in it."""
_NAME = re.compile(r"[\w][\w./:@+-]{0,199}")


@dataclass(frozen=True)
class ModelChoice:
    """A model, and who runs it."""

    provider: Literal["openai", "anthropic", "compatible"]
    """`compatible` is any server that speaks OpenAI's protocol."""
    model: str
    """As its provider calls it."""
    base_url: str = ""
    """Of a compatible server."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `openai:NAME`, `anthropic:NAME` or `http(s)://HOST/PATH#NAME` means; raises InvalidModel."""
        text = text.strip()
        provider, _, model = text.partition(":")
        if provider in ("openai", "anthropic"):
            return cls("openai" if provider == "openai" else "anthropic", _checked_name(model))
        if provider.lower() in ("http", "https"):
            address, _, model = text.partition("#")
            return cls("compatible", _checked_name(model), _checked_address(address))
        # Not repeated: it may be a key, entered in the wrong place.
        raise InvalidModel(
            "that is not a language model's name", hint=_HINT, zh="这不是语言模型的名称", hint_zh=_HINT_ZH
        )

    @property
    def origin(self) -> str:
        """Scheme, host and port of a compatible server."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def in_the_clear(self) -> bool:
        """Whether others on the way could read what is sent."""
        parts = urlsplit(self.base_url)
        return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def is_on_this_machine(name: str) -> bool:
    """Whether the model of this name is asked over loopback, so that nothing leaves the machine."""
    try:
        choice = ModelChoice.parse(name)
    except InvalidModel:
        return False
    return choice.provider == "compatible" and _is_loopback(urlsplit(choice.base_url).hostname or "")


def may_use_proxy(address: str) -> bool:
    """Whether a server may be asked by way of the proxy that the environment names.

    Not on this machine, which nothing has to leave; nor unencrypted, where the proxy would read the key.
    """
    parts = urlsplit(address)
    return parts.scheme == "https" and not _is_loopback(parts.hostname or "")


def _checked_name(model: str) -> str:
    if not _NAME.fullmatch(model):
        raise InvalidModel(
            "the language model has no name, or one that cannot be",
            hint=_HINT,
            zh="语言模型没有名称，或名称无效",
            hint_zh=_HINT_ZH,
        )
    return model


def _checked_address(address: str) -> str:
    if "@" in address or "?" in address:
        raise InvalidModel(
            "the language model's address has a user, a password or a query in it",
            hint="Addresses are shown and logged: give the key in EASYNET_MODEL_KEY.",
            zh="语言模型的地址中含有用户名、密码或查询参数",
            hint_zh="地址会被显示和记录：请用 EASYNET_MODEL_KEY 提供密钥。",
        )
    try:
        valid = _ADDRESS.fullmatch(address) is not None and urlsplit(address).port != 0
    except ValueError:  # a port or an IPv6 address that cannot be
        valid = False
    if not valid:
        raise InvalidModel(
            "the language model's address is not a web address",
            hint=_HINT,
            zh="语言模型的地址不是网址",
            hint_zh=_HINT_ZH,
        )
    return address.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
