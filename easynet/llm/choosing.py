"""From the name of a model, as users write it, to the model."""

from easynet.core.errors import InvalidModel, SettingsError
from easynet.llm.anthropic_model import AnthropicModel
from easynet.llm.failures import Failures
from easynet.llm.keys import key_for, where_keys_go
from easynet.llm.language_model import LanguageModel
from easynet.llm.model_choice import ModelChoice
from easynet.llm.openai_model import OpenAIModel
from easynet.llm.patience import PatientModel
from easynet.settings import Settings


def open_model(text: str, settings: Settings) -> LanguageModel:
    """The model that `openai:NAME`, `anthropic:NAME` or `http(s)://HOST/v1#NAME` names; nothing is sent yet.

    Raises InvalidModel for another text, or where a key would travel unencrypted beyond this machine;
    SettingsError where there is no key for a provider that wants one; MissingExtra without the SDK.
    """
    choice = ModelChoice.parse(text)
    key = key_for(choice, settings)
    hint, hint_zh = where_keys_go(choice)
    timeout_s = settings.model_timeout_s
    failures = Failures(
        text.strip(), key=key, hint=hint, hint_zh=hint_zh, local=choice.provider == "compatible"
    )
    model: LanguageModel
    if choice.provider == "compatible":
        if key is not None and choice.in_the_clear:
            raise InvalidModel(
                f"the key for {choice.origin} would travel unencrypted",
                hint="Use an https:// address, or reach the server through a tunnel to 127.0.0.1.",
                zh=f"发往 {choice.origin} 的密钥将不会加密",
                hint_zh="请使用 https:// 地址，或经隧道从 127.0.0.1 访问该服务器。",
            )
        model = OpenAIModel(
            choice.model, failures, key=key, timeout_s=timeout_s, base_url=choice.base_url, compatible=True
        )
    elif key is None:
        raise SettingsError(f"there is no key for {text.strip()}", hint=hint, zh="缺少密钥", hint_zh=hint_zh)
    elif choice.provider == "openai":
        model = OpenAIModel(choice.model, failures, key=key, timeout_s=timeout_s)
    else:
        model = AnthropicModel(choice.model, failures, key=key, timeout_s=timeout_s)
    return PatientModel(model, timeout_s=timeout_s)
