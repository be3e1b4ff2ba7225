"""What speaks for and against each candidate, as numbers."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from easynet.planners.composing import COVER, LIFE, STEP, TEXT, UNSEEN
from easynet.planners.experience_candidates import LINK_PRICE, STEP_PRICE, Candidates
from easynet.planners.experience_evidence import Evidence
from easynet.planners.experience_plans import ABSENT, TYPICAL_LENGTH, Ints
from easynet.planners.experience_text import Floats

WIDTH = 51
"""So many numbers there are for each candidate."""
_OUTSIDE = 8
"""So many of the best capabilities are looked for among a plan's steps."""


@dataclass(frozen=True)
class _Tables:
    """The candidates as tables with a row for each; what is missing is `pad`."""

    request: Ints
    steps: Ints
    first: Ints
    then: Ints
    link: Ints
    is_step: Floats
    is_link: Floats

    @property
    def row(self) -> Ints:
        return np.expand_dims(self.request, 1)

    @property
    def count(self) -> Floats:
        return np.asarray(self.is_step.sum(axis=1))

    @property
    def links(self) -> Floats:
        return np.asarray(np.maximum(self.is_link.sum(axis=1), 1))

    def per_step(self, values: Floats) -> list[Floats]:
        """The sum, the mean and the least of a value of the steps."""
        found = values[self.row, self.steps]
        total = (found * self.is_step).sum(axis=1)
        least = np.where(self.is_step > 0, found, np.inf).min(axis=1)
        return [total, total / self.count, least]

    def per_link(self, values: Floats) -> list[Floats]:
        """The mean and the least of a value of the links, 0 where there are none."""
        least = np.where(self.is_link > 0, values, np.inf).min(axis=1, initial=np.inf)
        mean = (values * self.is_link).sum(axis=1) / self.links
        return [mean, np.where(np.isfinite(least), least, 0.0)]


def features(evidence: Evidence, found: Candidates, chances: Floats) -> Floats:
    """A row for each candidate; the first column is what words alone say."""
    tables = _tables(evidence, found)
    words = _by_words(evidence, found, tables)
    steps = _of_steps(evidence, tables, chances)
    links = _of_links(evidence, tables)
    plan = _of_plan(evidence, found, tables)
    columns = np.stack([*words, *steps, *links, *plan], axis=1)
    beside = np.stack(
        [c - _best_of_request(c, found) for c in (words[0], steps[0], steps[3], links[0], plan[0], plan[-1])],
        axis=1,
    )
    return np.hstack([columns, beside]).astype(np.float32)


def _best_of_request(column: Floats, found: Candidates) -> Floats:
    return np.maximum.reduceat(column, found.starts)[
        np.searchsorted(found.starts, np.arange(len(column)), "right") - 1
    ]


def _tables(evidence: Evidence, found: Candidates) -> _Tables:
    pad = evidence.view.size
    no_link = len(evidence.view.past.link_column)
    column = evidence.view.past.link_column
    rows = len(found.steps)
    steps = np.full((rows, max(map(len, found.steps), default=1)), pad, np.int64)
    width = max(1, *map(len, found.links)) if found.links else 1
    first, then, link = (np.full((rows, width), fill, np.int64) for fill in (pad, pad, no_link))
    for i, (plan, links) in enumerate(zip(found.steps, found.links, strict=True)):
        steps[i, : len(plan)] = plan
        for j, (a, b) in enumerate(links):
            first[i, j], then[i, j], link[i, j] = a, b, column.get((a, b), no_link)
    is_step = (steps < pad).astype(np.float32)
    return _Tables(found.request, steps, first, then, link, is_step, (first < pad).astype(np.float32))


def _padded(values: Floats) -> Floats:
    return np.hstack([values, np.zeros((len(values), 1), values.dtype)])


# ── by words ────────────────────────────────────────────────────────────────────────────────────


def _by_words(evidence: Evidence, found: Candidates, tables: _Tables) -> list[Floats]:
    covered, place = _words_covered(evidence, found, tables)
    total, mean, least = tables.per_step(_padded(evidence.fits))
    stages = evidence.view.stages
    life = np.clip(stages[tables.then] - stages[tables.first], -2, 2) / 2
    text = np.tanh(6 * (place[tables.row, tables.then] - place[tables.row, tables.first]))
    seen = _is_seen(evidence, tables)
    order = ((LIFE * life + TEXT * text - UNSEEN * (1 - seen)) * tables.is_link).sum(axis=1)
    said = total + COVER * covered - STEP * tables.count + order
    return [
        said,
        covered,
        total,
        mean,
        least,
        *tables.per_link(life),
        *tables.per_link(text),
        tables.per_link(seen)[0],
    ]


def _is_seen(evidence: Evidence, tables: _Tables) -> Floats:
    links = evidence.view.links
    if not links:
        return np.ones_like(tables.is_link)
    size = evidence.view.size + 1
    codes = np.array(sorted(a * size + b for a, b in links), np.int64)
    return np.isin(tables.first * size + tables.then, codes).astype(np.float32)


def _words_covered(evidence: Evidence, found: Candidates, tables: _Tables) -> tuple[Floats, Floats]:
    """The share of a request's words that each candidate says; and where in the text each step is named."""
    view = evidence.view
    covered = np.zeros(len(found.steps), np.float32)
    place = np.full((len(evidence.keys), view.size + 1), 0.5, np.float32)
    ends = np.append(found.starts, len(found.steps))
    for start, end in pairwise(ends):
        row = int(found.request[start])
        keys = evidence.keys[row]
        used, index = np.unique(tables.steps[start:end], return_inverse=True)
        shares = np.array([[view.share(int(n), k) if n < view.size else 0.0 for k in keys] for n in used])
        if not keys:
            continue
        said = shares[index.reshape(end - start, -1)].max(axis=1)
        covered[start:end] = said.sum(axis=1) / (shares.max(axis=0).sum() or 1.0)
        total = shares.sum(axis=1)
        where = shares @ np.array([*keys.values()]) / np.maximum(total, 1e-9)
        place[row, used] = np.where(total > 0, where, 0.5)
    return covered, place


# ── by past runs ────────────────────────────────────────────────────────────────────────────────


def _of_steps(evidence: Evidence, tables: _Tables, chances: Floats) -> list[Floats]:
    said, chance = _padded(evidence.tools), _padded(chances)
    clipped = np.clip(chance, 1e-3, 1 - 1e-3)
    odds = tables.per_step(np.log(clipped / (1 - clipped)))[0]
    expected = np.where(chance > 0.02, chance, 0).sum(axis=1)[tables.request]
    inside = (chance[tables.row, tables.steps] * tables.is_step).sum(axis=1)
    return [
        *tables.per_step(said),
        *tables.per_step(chance),
        *_left_out(said, tables),
        *_left_out(chance, tables),
        odds,
        2 * inside / (expected + tables.count),
        expected,
    ]


def _left_out(values: Floats, tables: _Tables) -> list[Floats]:
    """The best of what is not a step, and the sum of the good ones."""
    most = min(_OUTSIDE, values.shape[1])
    order = np.argsort(-values, axis=1)[:, :most]
    best = np.take_along_axis(values, order, axis=1)[tables.request]
    is_inside = (order[tables.request][:, :, None] == tables.steps[:, None, :]).any(axis=2)
    outside = np.where(is_inside, 0, np.maximum(best, 0))
    return [outside.max(axis=1), outside.sum(axis=1)]


def _of_links(evidence: Evidence, tables: _Tables) -> list[Floats]:
    view, past = evidence.view, evidence.view.past
    a, b = view.historic(tables.first), view.historic(tables.then)
    link_said = _padded(evidence.of_link)[tables.row, tables.link] * tables.is_link
    times = past.followed[a, b]
    of_first = past.followed.sum(axis=1)[a]
    before, after = past.before[a, b], past.before[b, a]
    if evidence.own is not None:
        own = evidence.own[tables.request][:, None]
        times = times - past.has_link[own, tables.link]
        of_first = of_first - (past.place[own, a] < ABSENT)
        at, then = past.place[own, a], past.place[own, b]
        both = (at < ABSENT) & (then < ABSENT)
        before, after = before - (both & (at < then)), after - (both & (then < at))
    follows = np.log((np.maximum(times, 0) + 0.1) / (np.maximum(of_first, 0) + 5))
    order = np.log((np.maximum(before, 0) + 0.5) / (np.maximum(after, 0) + 0.5))
    best = _padded(evidence.of_link).max(axis=1)[tables.request]
    return [
        link_said.sum(axis=1),
        *tables.per_link(link_said),
        *tables.per_link(follows),
        *tables.per_link(order),
        link_said.max(axis=1) - best,
    ]


def _of_plan(evidence: Evidence, found: Candidates, tables: _Tables) -> list[Floats]:
    past = evidence.view.past
    number, is_past = np.maximum(found.past, 0), found.past >= 0
    times = np.where(is_past, past.times[number], 0.0)
    in_set = np.array([past.set_numbers.get(frozenset(s), -1) for s in found.steps], np.int64)
    has_set, set_number = in_set >= 0, np.maximum(in_set, 0)
    set_times = np.where(has_set, past.set_times[set_number], 0.0)
    if evidence.own is not None:
        own = evidence.own[tables.request]
        times = times - (found.past == own)
        set_times = set_times - (in_set == past.sets[own])
    weight, nearest = found.neighbours.weight, found.neighbours.nearest
    all_weight = weight.sum(axis=1)[tables.request] + 1e-9
    set_weight = np.zeros((len(weight), len(past.set_times)), np.float32)
    np.add.at(set_weight.T, past.sets, weight.T)
    known = is_past & (times > 0)
    voted = np.where(known, weight[tables.request, number], 0.0)
    said = np.where(is_past, evidence.of_plan[tables.request, number], 0.0)
    last = tables.steps[np.arange(len(tables.steps)), tables.count.astype(np.int64) - 1]
    link_said = _padded(evidence.of_link)[tables.row, tables.link] * tables.is_link
    by_parts = (
        ((_padded(evidence.tools)[tables.row, tables.steps] - STEP_PRICE) * tables.is_step).sum(axis=1)
        + (link_said - LINK_PRICE * tables.is_link).sum(axis=1)
        + said
    )
    length = evidence.length[tables.request] + TYPICAL_LENGTH
    return [
        voted / all_weight,
        voted,
        np.where(known, nearest[tables.request, number], 0.0),
        np.log1p(times),
        said,
        np.where(has_set, set_weight[tables.request, set_number], 0.0) / all_weight,
        np.log1p(np.maximum(set_times, 0)),
        (set_times > 0).astype(np.float32),
        _padded(evidence.of_first)[tables.request, evidence.view.historic(tables.steps[:, 0])],
        _padded(evidence.of_last)[tables.request, evidence.view.historic(last)],
        length - tables.count,
        tables.count,
        length,
        by_parts,
    ]
