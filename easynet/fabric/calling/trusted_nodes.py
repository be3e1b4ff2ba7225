"""The nodes that one user trusts with private data, whatever the gateway says of them."""

from collections.abc import Iterable

from easynet.core.errors import SettingsError
from easynet.core.offer import Trust
from easynet.fabric.wire.names import is_name


class TrustedNodes:
    """A user's list of nodes, each as `NAME`, or as `NAME:KEY` with the node's public key.

    A name can be another device's some day; a key cannot.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        """Raises SettingsError for what names no node."""
        self._keys: dict[str, set[str]] = {}
        for entry in entries:
            name, _, key = entry.strip().partition(":")
            if not is_name(name):
                raise SettingsError(
                    f"{entry!r} among the trusted nodes names no node",
                    hint="Write NAME, or NAME:KEY as `easynet nodes --json` shows them.",
                    zh=f"受信节点中的 {entry!r} 不是节点名",
                    hint_zh="请写成 NAME 或 NAME:KEY；`easynet nodes --json` 会显示它们。",
                )
            self._keys.setdefault(name, set()).add(key)

    def trust(self, name: str, key: str, said: Trust) -> Trust:
        """How far a node is trusted: as the gateway has `said`, or further."""
        wanted = self._keys.get(name)
        if said is Trust.PUBLIC and wanted and ("" in wanted or key in wanted):
            return Trust.TRUSTED
        return said
