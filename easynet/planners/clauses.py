"""Where a request goes on to another piece of work: "clean this, then forecast it", 先清洗，再预测."""

import re

from easynet.planners.files import unmentioned
from easynet.planners.words import units

_BREAK = re.compile(
    r"(?:[;!?，；。！？：]|[,:](?!\d)|\.(?!\w))\s*"
    r"|\b(?:and then|then|after that|afterwards|followed by|as well as|in addition|at the same time|meanwhile"
    r"|and)\b"
    r"|然后|接着|随后|最后|首先|同时|另外|此外|还有|以及|另一方面|一方面|顺便|并且|并(?=[\u3400-\u9fff])"
    r"|再(?![次见度生])(?=\s?[\u3400-\u9fffa-z])|(?<![首优预领原])先(?![生进例后天前])"
    r"|(?<=[完好了])[之以]后|之前(?=先)",
    re.IGNORECASE,
)
_LIST = re.compile(r"[和与及跟、]|\bplus\b", re.IGNORECASE)
"""What also joins the parts of one piece of work: 按地区和产品汇总."""
_LEAD = re.compile(
    r"\W*(?:(?:first(?:ly)?|second(?:ly)?|finally|lastly|also|next|please|for)\b[\s,]*|[,，]|分别|都|也)+",
    re.IGNORECASE,
)
"""Words at the head of a clause that only say where it stands."""
_DATA = re.compile(
    r"\W*(?:(?:(?:my|the|our|its|这个|这份|我的)\s*)?"
    r"(?:data(?:set)?|files?|table|csv|input|source|文件|数据|表格?)?"
    r"(?:\s*(?:is|are|is in|comes from|是|为|在|来自))?)?\W*",
    re.IGNORECASE,
)
"""What a clause that only names the data is without the file's name: `the data is`."""


def clauses_of(text: str) -> list[str]:
    """The clauses that may name work of their own, in order."""
    found = (_LEAD.sub("", part, count=1) if _LEAD.match(part) else part for part in _BREAK.split(text))
    return [c for c in map(str.strip, found) if _names_work(c)]


def items_of(clause: str) -> list[str]:
    """The items of a list inside a clause; one where there is none."""
    return [c for c in map(str.strip, _LIST.split(clause)) if c and _names_work(c)]


def _names_work(clause: str) -> bool:
    # "And 3 from a file" names no work of its own.
    if not any(not unit.is_context for unit in units(clause)):
        return False
    rest = unmentioned(clause)
    return rest == clause or not _DATA.fullmatch(rest)
