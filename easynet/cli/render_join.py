"""What somebody may do who has just joined a network, for people."""

from easynet.agents.wording import one_line
from easynet.cli.look import bare
from easynet.fabric.access.memberships import Membership


def joined(membership: Membership) -> str:
    """As what and to which network this device has joined, and what to type next."""
    where, name = bare(membership.gateways[0]), one_line(membership.name)
    lines = [f"Joined the network at {where} as the {membership.kind} {name}."]
    if membership.kind == "node":
        lines += ["Offer the functions of a file:", "  easynet node serve my_functions.py"]
    else:
        lines += [
            *([f"It may call {', '.join(may)}, and nothing else."] if (may := membership.functions) else []),
            "See what can be called, and call it:",
            "  easynet functions",
            "  easynet call NODE.FUNCTION ARGUMENT",
        ]
    return "\n".join(lines)
