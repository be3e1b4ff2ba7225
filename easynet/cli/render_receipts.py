"""Receipts, for people."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from easynet.agents.wording import one_line
from easynet.core.quantities import format_credits, format_duration
from easynet.core.receipt import Receipt


def receipt_line(receipt: Receipt) -> str:
    """Who says to have done what, for whom and when, in one line."""
    call, offer = receipt.facts.call, receipt.facts.offer
    ran = format_duration(max(0.0, call.ended_at - call.started_at))
    return one_line(
        f"{offer.node} ran {offer.function} for {call.client} at {_time(call.started_at)}, in {ran}, "
        f"for {format_credits(call.price)}: {call.outcome} (call {call.id})"
    )


def signers(receipts: Sequence[Receipt]) -> Iterator[str]:
    """A line for each key: whose it is said to be, and how many of the receipts it signed."""
    counts = Counter((r.facts.offer.node, r.facts.offer.node_key) for r in receipts)
    for (node, key), count in counts.items():
        yield one_line(f"{count:,} valid receipt{'s' * (count != 1)}, signed by {node} with the key {key}")


def receipt_details(receipt: Receipt, problem: str) -> str:
    """All that a receipt says, a line each; `problem` is why it does not hold, or ""."""
    call, offer = receipt.facts.call, receipt.facts.offer
    rows = [
        ("call", call.id),
        ("idempotency key", call.key or "none"),
        ("client", call.client),
        ("node", offer.node),
        ("function", offer.function),
        ("outcome", call.outcome),
        ("started", _time(call.started_at)),
        ("ended", _time(call.ended_at)),
        ("price", format_credits(call.price)),
        ("input", f"sha256 {call.input}"),
        ("output", f"sha256 {call.output}"),
        ("capability", f"sha256 {offer.capability}"),
        ("versions", f"EasyNet {offer.easynet}, Python {offer.python}"),
        ("key", offer.node_key),
        ("signature", problem or "holds"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {one_line(text)}" for name, text in rows)


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S.%f} UTC"
