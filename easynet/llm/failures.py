"""What servers of language models answer when they do not answer, in EasyNet's errors and words."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from math import isfinite

from pydantic import SecretStr

from easynet.core.errors import ModelError, ModelRateLimited, ModelRefused, ModelTruncated, ModelUnavailable
from easynet.llm.language_model import Usage

_STATUS_OF_KIND = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "insufficient_quota": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "overloaded_error": 529,
}
"""The HTTP status of errors that are told within a stream, whose own status is 200."""

_FILTERED = {"content_filter", "content_policy_violation", "invalid_prompt"}
_MOST_SAID = 200
"""Characters of a server's own words that are repeated."""


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long a server asks to wait, from `retry-after-ms` or `retry-after`; None where it does not say so.

    A date is understood by the server's own clock. RFC 9110, section 10.2.3.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    if (seconds := _number(headers.get("retry-after"))) is not None:
        return seconds
    try:
        wait = parsedate_to_datetime(headers["retry-after"]) - parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) and number >= 0 else None


class Failures:
    """The errors of one model, none of which repeats its key."""

    def __init__(
        self,
        model: str,
        *,
        key: SecretStr | None = None,
        hint: str = "",
        hint_zh: str = "",
        local: bool = False,
    ) -> None:
        """`hint` says where the key comes from; `local` that the server is one that the user runs."""
        self._model = model
        self._key = key
        self._hint = hint, hint_zh
        self._local = local

    def clean(self, said: object) -> str:
        """What a server said, as one short line in which neither the key nor a control character is left."""
        text = said if isinstance(said, str) else "" if said is None else str(said)
        if self._key is not None and (secret := self._key.get_secret_value()):
            text = text.replace(secret, "***")
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return text if len(text) <= _MOST_SAID else text[:_MOST_SAID] + "…"

    def of_status(
        self, status: int, headers: Mapping[str, str], said: object, kinds: tuple[object, ...] = ()
    ) -> ModelError:
        """The error for an answer with that HTTP status, or of one of those kinds, as the body calls them."""
        names = {str(kind) for kind in kinds}
        if names & _FILTERED:
            return self.refused(said)
        status = next((_STATUS_OF_KIND[n] for n in names if n in _STATUS_OF_KIND), status)
        wait_s = retry_after_s(headers)
        if status in (429, 529) or (status == 503 and wait_s is not None):
            return self._limited(status, wait_s)
        if status in (401, 403):
            return self._turned_away(status)
        words = self.clean(said)
        if status == 402:
            return self._unavailable(
                "the account has no credit left",
                "账户余额不足",
                "Add credit at the provider.",
                "请在服务商处充值。",
            )
        if status == 404:
            return self._not_found(words)
        if 300 <= status < 400:
            return self._unavailable(
                f"the server sends elsewhere ({status}), which is not followed",
                f"服务器要求转到别处（{status}），未予跟随",
                "Choose the address at which the server really is.",
                "请改用服务器的真实地址。",
            )
        if 400 <= status < 500 and status not in (408, 409):
            return self._unavailable(
                f"the request was refused ({status}): {words}", f"请求被拒绝（{status}）：{words}"
            )
        return self._unavailable(
            f"the server failed ({status}): {words}", f"服务器出错（{status}）：{words}", passing=True
        )

    def timed_out(self, after_s: float) -> ModelUnavailable:
        error = self._unavailable(
            f"no whole answer came within {after_s:g} s",
            f"{after_s:g} 秒内没有得到完整的回答",
            "EASYNET_MODEL_TIMEOUT_S allows more time.",
            "可用 EASYNET_MODEL_TIMEOUT_S 延长时间。",
        )
        error.may_have_cost = True
        return error

    def unreachable(self) -> ModelUnavailable:
        hint = (
            ("Is the server running, at that address?", "服务器是否在该地址运行？")
            if self._local
            else ("", "")
        )
        return self._unavailable("the server cannot be reached", "无法连接服务器", *hint, passing=True)

    def broke_off(self) -> ModelUnavailable:
        error = self._unavailable("the answer broke off", "回答中断", passing=True)
        error.may_have_cost = True
        return error

    def malformed(self) -> ModelUnavailable:
        return self._unavailable("the answer is not in this protocol's form", "回答不符合协议格式")

    def empty(self, usage: Usage) -> ModelUnavailable:
        """Passes only where it took nothing: what was paid for once is not asked for again unseen."""
        error = self._unavailable("the answer is empty", "回答为空", passing=usage == Usage())
        error.tokens = usage.model_dump()
        return error

    def truncated(self, max_tokens: int, usage: Usage | None = None) -> ModelTruncated:
        error = ModelTruncated(
            f"{self._model}: the answer was cut off at {max_tokens} tokens",
            zh=f"{self._model}：回答超出 {max_tokens} 个 token，被截断",
        )
        error.tokens = usage.model_dump() if usage else {}
        error.may_have_cost = True
        return error

    def refused(self, said: object, usage: Usage | None = None) -> ModelRefused:
        words = self.clean(said)
        error = ModelRefused(
            f"{self._model} declined to answer{words and ': '}{words}",
            zh=f"{self._model} 拒绝回答{words and '：'}{words}",
        )
        error.tokens = usage.model_dump() if usage else {}
        return error

    def _limited(self, status: int, wait_s: float | None) -> ModelRateLimited:
        why, zh = (
            ("is overloaded", "已过载")
            if status == 529
            else ("takes no more requests for now", "暂不接受更多请求")
        )
        when, when_zh = ("later", "稍后") if wait_s is None else (f"in {wait_s:.3g} s", f"{wait_s:.3g} 秒后")
        return ModelRateLimited(
            f"{self._model}: the server {why}",
            retry_after_s=wait_s,
            hint=f"Try again {when}.",
            zh=f"{self._model}：服务器{zh}",
            hint_zh=f"请{when_zh}再试。",
        )

    def _turned_away(self, status: int) -> ModelUnavailable:
        # The server's own words stay out: some repeat the key, and parts of it, there.
        if self._key is None:
            return self._unavailable(
                f"the server wants a key ({status})", f"服务器需要密钥（{status}）", *self._hint
            )
        return self._unavailable(
            f"the server turned the key away ({status})", f"服务器拒绝了密钥（{status}）", *self._hint
        )

    def _not_found(self, words: str) -> ModelUnavailable:
        hint, zh = "Check the model's name.", "请检查模型名称。"
        if self._local:
            hint, zh = hint + " The address usually ends in /v1.", zh + "地址通常以 /v1 结尾。"
        return self._unavailable(
            f"there is no such model (404): {words}", f"没有这个模型（404）：{words}", hint, zh
        )

    def _unavailable(
        self, what: str, zh: str, hint: str = "", hint_zh: str = "", *, passing: bool = False
    ) -> ModelUnavailable:
        return ModelUnavailable(
            f"{self._model}: {what}", passing=passing, hint=hint, zh=f"{self._model}：{zh}", hint_zh=hint_zh
        )
