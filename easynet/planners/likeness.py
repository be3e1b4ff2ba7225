"""How alike two collections, or two plans, are."""

from collections.abc import Collection


def f1(one: Collection[object], other: Collection[object]) -> float:
    """The harmonic mean of the shares that both have in common (F1, Dice); repeats count in size."""
    both = len({*one} & {*other})
    return 2 * both / (len(one) + len(other)) if both else 0.0


def plans_alike(
    steps: Collection[object],
    links: Collection[object],
    other_steps: Collection[object],
    other_links: Collection[object],
) -> float:
    """How alike two plans are: the mean over their steps and their links, where they have links."""
    by_steps = f1(steps, other_steps)
    return (by_steps + f1(links, other_links)) / 2 if links or other_links else by_steps
