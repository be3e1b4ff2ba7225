"""What servers say when they do not answer, as people read it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from easynet.core.errors import ModelRateLimited, ModelRefused, ModelUnavailable
from easynet.llm.failures import Failures, retry_after_s

CANARY = "sk-canary-0123456789"
FAILURES = Failures(
    "openai:x", key=SecretStr(CANARY), hint="Set OPENAI_API_KEY.", hint_zh="请设置 OPENAI_API_KEY。"
)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "Sun, 22 Nov 2026 10:00:00"}, None),
    ],
)
def test_wait_is_understood_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


@given(st.text(max_size=40), st.text(max_size=40))
def test_nonsense_is_no_wait(said: str, date: str) -> None:
    wait = retry_after_s({"retry-after": said, "date": date})
    assert wait is None or wait >= 0


@given(st.text(max_size=500), st.text(max_size=500), st.integers(300, 599))
def test_no_error_repeats_the_key_or_a_control_character(before: str, after: str, status: int) -> None:
    error = FAILURES.of_status(status, {}, before + CANARY + after)
    for text in (*error.in_language("en"), *error.in_language("zh"), repr(error)):
        assert CANARY not in text
    assert error.message.isprintable()
    assert len(error.message) < 400


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, "", "turned the key away"),
        (403, "", "turned the key away"),
        (429, "insufficient_quota", "no credit left"),
        (402, "", "no credit left"),
        (404, "", "no such model"),
        (307, "", "sends elsewhere"),
        (413, "", "was refused"),
        (500, "", "failed"),
        (500, "authentication_error", "turned the key away"),
    ],
)
def test_message_says_what_happened(status: int, kind: str, words: str) -> None:
    error = FAILURES.of_status(status, {}, "", (kind,))
    assert isinstance(error, ModelUnavailable)
    assert words in error.message
    assert error.message.startswith("openai:x: ")


def test_whoever_has_no_key_is_told_where_it_goes() -> None:
    error = Failures("m", hint="Set X.", hint_zh="请设置 X。").of_status(401, {}, "")
    assert error.in_language("en") == ("m: the server wants a key (401)", "Set X.")
    assert error.in_language("zh") == ("m：服务器需要密钥（401）", "请设置 X。")


@pytest.mark.parametrize("kind", ["content_filter", "content_policy_violation"])
def test_filtered_request_is_a_refusal(kind: str) -> None:
    assert isinstance(FAILURES.of_status(400, {}, "", (None, kind)), ModelRefused)


def test_unavailable_server_that_names_a_time_is_a_rate_limit() -> None:
    error = FAILURES.of_status(503, {"retry-after": "2"}, "")
    assert isinstance(error, ModelRateLimited)
    assert error.in_language("zh")[1] == "请2 秒后再试。"
