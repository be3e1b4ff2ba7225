"""EasyNet: say what you want, and a network of nodes plans it, does it and reports.

The names below are what users import. Each is loaded at first use, so that `import easynet` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from easynet._version import __version__

if TYPE_CHECKING:
    from easynet.core.call import call_key, check_cancelled, progress, scratch_dir
    from easynet.core.contribution import contribute
    from easynet.core.errors import EasyNetError, InputNeeded, RemoteFailure
    from easynet.core.intent import Intent
    from easynet.core.result import RunResult
    from easynet.fabric.client import AsyncClient
    from easynet.fabric.jobs.job_client import JobOptions
    from easynet.fabric.node import ComputeNode
    from easynet.fabric.sync import Client, Server
    from easynet.network import IntelligentNetwork
    from easynet.specialists.detector import load_model

_HOMES = {
    "AsyncClient": "easynet.fabric.client",
    "Client": "easynet.fabric.sync",
    "ComputeNode": "easynet.fabric.node",
    "EasyNetError": "easynet.core.errors",
    "InputNeeded": "easynet.core.errors",
    "IntelligentNetwork": "easynet.network",
    "JobOptions": "easynet.fabric.jobs.job_client",
    "Intent": "easynet.core.intent",
    "RemoteFailure": "easynet.core.errors",
    "RunResult": "easynet.core.result",
    "Server": "easynet.fabric.sync",
    "call_key": "easynet.core.call",
    "check_cancelled": "easynet.core.call",
    "contribute": "easynet.core.contribution",
    "load_model": "easynet.specialists.detector",
    "progress": "easynet.core.call",
    "scratch_dir": "easynet.core.call",
}

__all__ = (
    "AsyncClient",
    "Client",
    "ComputeNode",
    "EasyNetError",
    "InputNeeded",
    "IntelligentNetwork",
    "Intent",
    "JobOptions",
    "RemoteFailure",
    "RunResult",
    "Server",
    "__version__",
    "call_key",
    "check_cancelled",
    "contribute",
    "load_model",
    "progress",
    "scratch_dir",
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'easynet' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
