"""Why a subtask cannot be given to anybody."""

from easynet.core.errors import NoNodeFound
from easynet.core.ids import CapabilityName
from easynet.execution.commands import Start


def nobody(capability: CapabilityName, start: Start) -> NoNodeFound:
    """No node offers the capability, but for those that are not for this start."""
    others, others_zh = (" other", "其他") if start.failed_on or start.not_on else ("", "")
    return NoNodeFound(
        f"no{others} node offers {capability!r} for {start.subtask!r} now",
        hint="Try again when a node that offers it has joined; `easynet nodes` lists them.",
        zh=f"现在没有{others_zh}节点为 {start.subtask!r} 提供 {capability!r}",
        hint_zh="等提供该功能的节点加入后再试；`easynet nodes` 列出现有节点。",
    )
