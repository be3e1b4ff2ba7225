"""Which model a text names, and which key it gets."""

import builtins
import contextlib
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easynet.core.errors import InvalidModel, MissingExtra, SettingsError
from easynet.llm import keys
from easynet.llm.choosing import open_model
from easynet.llm.model_choice import ModelChoice, may_use_proxy
from easynet.settings import Settings

CANARY = "sk-canary-0123456789"


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("openai:gpt-6-sol", ModelChoice("openai", "gpt-6-sol")),
        (" anthropic:claude-opus-5 ", ModelChoice("anthropic", "claude-opus-5")),
        ("openai:ft:gpt-4o:acme::7", ModelChoice("openai", "ft:gpt-4o:acme::7")),
        (
            "http://localhost:11434/v1#llama3:8b",
            ModelChoice("compatible", "llama3:8b", "http://localhost:11434/v1"),
        ),
        ("https://x.example/v1/#org/m-1", ModelChoice("compatible", "org/m-1", "https://x.example/v1")),
        ("http://[::1]:8080/v1#m", ModelChoice("compatible", "m", "http://[::1]:8080/v1")),
    ],
)
def test_text_names_a_model(text: str, choice: ModelChoice) -> None:
    assert ModelChoice.parse(text) == choice


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gpt-6",
        "openai:",
        "openai: ",
        "openai:a b",
        "openai:x\ny",
        "openai:" + "x" * 300,
        "ollama:llama3",
        "http://",
        "http://host/v1",
        "http://host/v1#",
        "http://#m",
        "http:///v1#m",
        "http://host:99999/v1#m",
        "http://ho st/v1#m",
        "http://[::1/v1#m",
        "file:///etc/passwd#m",
        "http://127.0.0.1\\.far.example/v1#m",
        "http://ｌocalhost/v1#m",
        "http://a..b/v1#m",
        f"http://{CANARY}@host/v1#m",
        f"http://user:{CANARY}@host/v1#m",
        f"https://host/v1?key={CANARY}#m",
        CANARY,
    ],
)
def test_other_texts_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(InvalidModel) as caught:
        ModelChoice.parse(text)
    assert CANARY not in str(caught.value) + caught.value.hint
    assert caught.value.hint
    assert caught.value.in_language("zh")[1] != caught.value.hint


@given(
    st.text(max_size=40) | st.text("a.-:/[]%\\@?#1é ", max_size=20).map(lambda text: text + "#m"),
    st.sampled_from(["", "openai:", "http://", "https://h/v1#", "http://h:1/", "http://127.0.0.1"]),
)
def test_every_text_is_a_model_or_an_error(text: str, start: str) -> None:
    with contextlib.suppress(InvalidModel):
        choice = ModelChoice.parse(start + text)
        assert choice.model
        if choice.base_url:
            assert httpx2.URL(choice.base_url).host == urlsplit(choice.base_url).hostname


@pytest.mark.parametrize(
    ("address", "in_the_clear"),
    [
        ("http://127.0.0.1:1/v1", False),
        ("http://127.9.9.9/v1", False),
        ("http://[::1]/v1", False),
        ("http://localhost/v1", False),
        ("https://far.example/v1", False),
        ("http://far.example/v1", True),
        ("http://192.168.1.5:11434/v1", True),
        ("http://0.0.0.0:1/v1", True),
        ("http://localhost.far.example/v1", True),
        ("http://127.0.0.1.far.example/v1", True),
        ("HTTP://far.example/v1", True),
    ],
)
def test_only_this_machine_is_reached_unseen_without_tls(address: str, in_the_clear: bool) -> None:
    assert ModelChoice.parse(f"{address}#m").in_the_clear is in_the_clear


async def test_keys_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f" {CANARY}\n")
    monkeypatch.setenv("ANTHROPIC_API_KEY", CANARY)
    monkeypatch.setenv("EASYNET_MODEL_KEY", CANARY)
    settings = Settings()
    assert CANARY not in repr(settings)
    for text in ("openai:m", "anthropic:m", "https://far.example/v1#m", "http://127.0.0.1/v1#m"):
        model = open_model(text, settings)
        assert model.name == text
        assert CANARY not in repr(model)
        await model.close()


@pytest.mark.parametrize(
    ("text", "variable"), [("openai:m", "OPENAI_API_KEY"), ("anthropic:m", "ANTHROPIC_API_KEY")]
)
def test_missing_key_is_named(text: str, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASYNET_MODEL_KEY", "of-another-server")
    with pytest.raises(SettingsError, match="no key") as caught:
        open_model(text, Settings())
    assert variable in caught.value.hint
    assert "keyring set easynet" in caught.value.hint


@pytest.mark.parametrize("key", ["sk-é", "sk a", "“sk-canary-0123456789”", "a\nb", "\x00"])
def test_what_cannot_be_a_key_is_refused_and_not_repeated(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(model_key=key)
    with pytest.raises(SettingsError) as caught:
        open_model("https://far.example/v1#m", settings)
    assert key not in str(caught.value)


def test_key_does_not_travel_unencrypted() -> None:
    with pytest.raises(InvalidModel, match="unencrypted"):
        open_model("http://far.example/v1#m", Settings(model_key=CANARY))


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("https://api.openai.com/v1", True),
        ("https://far.example/v1", True),
        ("HTTPS://far.example/v1", True),
        ("http://far.example/v1", False),
        ("HTTP://far.example/v1", False),
        ("http://127.0.0.1:8080/v1", False),
        ("https://localhost/v1", False),
        ("https://[::1]:8080/v1", False),
    ],
)
def test_proxies_see_only_what_is_encrypted_and_for_elsewhere(address: str, may: bool) -> None:
    assert may_use_proxy(address) is may


async def test_server_without_a_key_may_be_anywhere() -> None:
    await open_model("http://far.example/v1#m", Settings()).close()


def test_folder_says_nothing_that_a_stranger_could_gain_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EASYNET_DATA_DIR")
    text = 'model = "https://evil.example/v1#m"\nmodel_key = "x"\nOPENAI_API_KEY = "x"\nmodel_timeout_s = 5\n'
    text += 'data_dir = "theirs"\nnats_server = "theirs"\ntrusted_nodes = ["theirs"]\n'
    text += '[model_prices."openai:m"]\ninput = 0\noutput = 0\n'
    (tmp_path / "easynet.toml").write_text(text)
    settings = Settings()
    assert (settings.model, settings.model_timeout_s) == ("", 5)
    assert (settings.nats_server, settings.model_prices, settings.trusted_nodes) == ("", {}, ())
    assert settings.data_dir.is_absolute()
    assert not settings.model_key.get_secret_value() + settings.openai_api_key.get_secret_value()
    monkeypatch.setenv("EASYNET_MODEL", "openai:m")
    assert Settings().model == "openai:m"


def keyring(monkeypatch: pytest.MonkeyPatch, get: Any) -> None:
    module = types.ModuleType("keyring")
    module.get_password = get  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", module)


def test_keyring_is_asked_by_provider_or_server(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {("easynet", "openai"): "a", ("easynet", "https://far.example:8443"): "b"}
    keyring(monkeypatch, lambda service, user: kept.get((service, user)))
    found = {
        text: keys.key_for(ModelChoice.parse(text), Settings())
        for text in ("openai:m", "anthropic:m", "https://far.example:8443/v1#m", "https://far.example/v1#m")
    }
    assert [key and key.get_secret_value() for key in found.values()] == ["a", None, "b", None]


def test_environment_comes_before_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring(monkeypatch, lambda service, user: "from the keyring")
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    key = keys.key_for(ModelChoice.parse("openai:m"), Settings())
    assert key is not None
    assert key.get_secret_value() == CANARY


def test_keyring_that_fails_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(service: str, user: str) -> str:
        raise RuntimeError("locked")

    keyring(monkeypatch, fail)
    assert keys.from_keyring("openai") is None


def test_keyring_that_is_not_there_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert keys.from_keyring("openai") is None


def test_keyring_that_hangs_is_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()
    monkeypatch.setattr(keys, "_KEYRING_WAITS_S", 0.05)
    keyring(monkeypatch, lambda service, user: is_over.wait() and "late")
    assert keys.from_keyring("openai") is None
    is_over.set()


def test_real_keyring_without_a_backend_is_as_none() -> None:
    assert keys.from_keyring("openai") is None


@pytest.mark.parametrize(("text", "sdk"), [("http://127.0.0.1/v1#m", "openai"), ("anthropic:m", "anthropic")])
def test_missing_sdk_names_what_to_install(text: str, sdk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", CANARY)
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.partition(".")[0] == sdk:
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra) as caught:
        open_model(text, Settings())
    assert "pip install 'easynet-os[llm]'" in caught.value.hint


def test_choosing_loads_no_sdk() -> None:
    script = "import easynet.llm.choosing, easynet.llm.prices, sys; print(*sys.modules)"
    ran = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=True)
    assert not {"openai", "anthropic", "httpx2", "keyring", "langchain_core"} & set(ran.stdout.split())
