"""The keys of language models' providers: from the environment, else from the system's keyring."""

import threading
from typing import Final

from pydantic import SecretStr

from easynet.core.errors import SettingsError
from easynet.llm.model_choice import ModelChoice
from easynet.settings import Settings

SERVICE: Final = "easynet"
"""Under which name the keyring has the keys."""
_KEYRING_WAITS_S: Final = 30.0
"""Long enough to enter a password, should the keyring ask for one."""
_VARIABLES: Final = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "compatible": "EASYNET_MODEL_KEY",
}


def key_for(choice: ModelChoice, settings: Settings) -> SecretStr | None:
    """The key for a model, or None; raises SettingsError for what cannot be a key.

    A compatible server's key is found in the keyring by the server's origin, so that no other server gets it.
    """
    found = {
        "openai": settings.openai_api_key,
        "anthropic": settings.anthropic_api_key,
        "compatible": settings.model_key,
    }[choice.provider]
    secret = found.get_secret_value().strip() or (from_keyring(_user(choice)) or "").strip()
    if not secret:
        return None
    if not (secret.isascii() and secret.isprintable() and " " not in secret):
        raise SettingsError(
            f"the key for {choice.provider} models has characters that no key has",
            hint=f"Copy it again, without quotes or line breaks. {where_keys_go(choice)[0]}",
            zh="密钥中含有无效字符",
            hint_zh=f"请重新复制，不要带引号或换行。{where_keys_go(choice)[1]}",
        )
    return SecretStr(secret)


def where_keys_go(choice: ModelChoice) -> tuple[str, str]:
    """What to do about a key, in English and Chinese."""
    variable, command = _VARIABLES[choice.provider], f"keyring set {SERVICE} {_user(choice)}"
    return (
        f"Set {variable}, or store the key with: {command}",
        f"请设置 {variable}，或运行 {command} 保存密钥。",
    )


def from_keyring(user: str) -> str | None:
    """What the system's keyring has for that user; None also where there is none, or it fails or hangs."""
    found: list[str | None] = []

    def look() -> None:
        try:
            import keyring  # an extra, and slow: it looks for all the keyrings there are

            found.append(keyring.get_password(SERVICE, user))
        except Exception:  # each system's keyring raises errors of its own; no key is no reason to stop
            found.append(None)

    thread = threading.Thread(target=look, name="keyring", daemon=True)
    thread.start()
    thread.join(_KEYRING_WAITS_S)
    return found[0] if found else None


def _user(choice: ModelChoice) -> str:
    return choice.origin if choice.provider == "compatible" else choice.provider
