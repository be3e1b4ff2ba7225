"""The constraints that a sentence states, and the sentence without them.

Only phrases that clearly limit the run are taken out: "in 10 minutes" is a deadline, "in the last 10
minutes" and "the next 8 weeks" are not.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from easynet.agents.metrics import METRICS, metric_name, quality_bound
from easynet.core.intent import Bound, Privacy
from easynet.core.numerals import narrow
from easynet.core.quantities import (
    AT_LEAST,
    AT_LEAST_AFTER,
    AT_MOST,
    AT_MOST_AFTER,
    DURATION,
    MEMORY,
    MONEY,
    SHARE,
    parse_credits,
    parse_duration,
    parse_memory,
)

_JOIN = (
    r"(?:\b(?:and|with|for|but|while|costs?|costing|spend(?:ing)?)\b"
    r"|[并且而但,，;；、 用在花以]|要求|花费|费用|成本|带有){0,8}"
)
_IS = (
    r"(?: ?(?:is|of|be|to be|should be|must be|has to be|:|：|="
    r"|为|是|在|要|需要?|须|应|控制在|达到|到)){0,3} ?"
)
_METRIC = "|".join(f"(?P<{name}>{pattern})" for name, pattern in METRICS.items())
_BARE_METRIC = "|".join(pattern for pattern in METRICS.values())

_MONEY_LIMIT = rf"(?:{AT_MOST} ?{MONEY}(?: ?{AT_MOST_AFTER})?|{MONEY} ?{AT_MOST_AFTER})"
_BUDGET = (
    r"(?:(?:a |my |the )?(?:total )?(?:budget|cost limit|max(?:imum)? (?:cost|price|budget))|总?预算|限额)"
    rf"{_IS}"
    rf"(?P<q1>(?:{AT_MOST} ?)?{MONEY}(?: ?{AT_MOST_AFTER})?)"
    rf"|(?:on )?(?:an? |my |the )?(?P<q2>{MONEY}) (?:budget|limit)\b|(?P<q4>{MONEY})的?预算"
    rf"|(?P<q3>{_MONEY_LIMIT})"
)
_DEADLINE = (
    r"(?:(?:a |the )?(?:deadline|time limit|time budget|max(?:imum)? (?:training )?time)"
    r"|(?:training|run) ?time"
    rf"|限时|时限|截止时间|(?:训练|运行)?时间){_IS}(?P<q1>(?:{AT_MOST} ?)?{DURATION}(?: ?{AT_MOST_AFTER})?)"
    rf"|(?:finish(?:ed)?|done|completed?|ready|delivered|deliver) (?P<q2>(?:in |{AT_MOST} ?){DURATION})"
    rf"|(?:in )?(?:{AT_MOST}|\bin\b) ?(?P<q3>{DURATION})(?: ?{AT_MOST_AFTER})?(?:完成|做完|跑完|训练完)?"
    rf"|(?P<q4>{DURATION}) ?{AT_MOST_AFTER}(?:完成|做完|跑完|训练完|给出|得到|出)?"
)
_QUALITY = (
    rf"(?:an? |the |its )?(?:{_METRIC}){_IS}(?P<q1>(?:(?:{AT_MOST}|{AT_LEAST}) ?)?{SHARE}"
    rf"(?: ?(?:{AT_LEAST_AFTER}|{AT_MOST_AFTER}))?)"
    rf"|(?P<q2>(?:(?:{AT_MOST}|{AT_LEAST}) ?)?{SHARE}(?: ?{AT_LEAST_AFTER})?)的? ?"
    rf"(?P<after>{_BARE_METRIC}|accurate)"
)
_RAM = r"(?:gpu |video )?(?:memory|ram|vram)\b|内存|显存"
_MEMORY = (
    rf"(?:{_RAM}){_IS}(?P<q1>(?:(?:{AT_LEAST}|{AT_MOST}) ?)?{MEMORY}(?: ?{AT_LEAST_AFTER})?)"
    rf"|(?P<q2>(?:(?:{AT_LEAST}|{AT_MOST}) ?)?{MEMORY}(?: ?{AT_LEAST_AFTER})?)(?: ?(?:of )?的?)(?:{_RAM})"
)
_HIGH_PRIVACY = (
    r"(?:please )?keep(?:ing)? (?:it|(?:all |my |our |the |this )*(?:data|files?|tables?|records?)) "
    r"(?:private|confidential|secret|local|on my (?:own )?(?:machine|computer|node)s?)"
    r"|(?:do not|don't|never|without) (?:shar|upload|send|leak)(?:e|ing)?\b[^,.;，。；]*"
    r"|(?:my |the )?data (?:must|should|may|can) ?not leave[^,.;，。；]*"
    r"|high privacy|privacy ?[:=]? ?(?:is |must be )?high|only on my own (?:machine|computer|node)s?"
    r"|\bprivately\b|\bconfidentially\b"
    r"|(?:请|要|需要|注意|并|且)*(?:保护|保证|注重|确保|注意)(?:好)?(?:我的|数据|用户|病人|患者|的)*隐私(?:安全)?"
    r"|隐私(?:级别|等级|要求)?[:：为是]?(?:要)?(?:最)?高|(?:高|严格)隐私|(?:数据|内容|文件)?(?:必须|要|需要?|请|请对数据)?保密"
    r"|(?:数据)?(?:不要|不能|不得|不可|请勿|禁止)(?:外传|上传|泄露|外泄|离开本[地机])(?:数据)?|(?:仅|只)在(?:本地|本机)(?:运行|处理|计算)?"
)
_NO_PRIVACY = (
    r"(?:no need for|no|without) privacy(?: needed| required)?"
    r"|privacy (?:is )?(?:normal|not (?:important|needed))"
    r"|(?:不需要|无需|不用|不必)(?:保密|隐私保护)"
)
_MENTIONS_PRIVACY = re.compile(
    r"\bconfidential\b|\bprivate(?!ly)(?! (?:equity|sector|label|school|compan|bank|insur))|隐私"
)

_HORIZON = re.compile(
    r"(?:last|past|previous|next|coming|following|every|each|recent|over the|over"
    r"|最近|过去|未来|接下来|今后|之后|以后|前|后|每隔?|近|下)\s*(?:the\s+)?$"
)
_FORECASTS = re.compile(r"predict|forecast|project|预测|预报|预计|readmi")
_PRICED = re.compile(
    r"(?:\b(?:items?|products?|orders?|sales|prices?|priced|purchases?|transactions?|customers?|amounts?|revenues?"
    r"|invoices?|values?|incomes?|deals|goods|selling|spen[dt]|worth|bought|paid)|价格|单价|金额|订单|商品|产品|销售额|收入|消费|售价|客户)"
    r"\s*(?:\w+ing |that |which |who |are |is |was |were |of |的|在|for )*$"
)
_HAN = r"[㐀-鿿]"
_DAY_S = 86_400


@dataclass
class Limits:
    """What was read so far."""

    budget: int | None = None
    deadline_s: float | None = None
    privacy: Privacy | None = None
    private: tuple[str, ...] = ()
    approve_above: int | None = None
    memory_bytes: Bound | None = None
    quality: dict[str, Bound] = field(default_factory=dict[str, Bound])

    def at_most(self, *, budget: int | None = None, deadline_s: float | None = None) -> None:
        """Take in a limit; of two, the tighter holds."""
        if budget is not None:
            self.budget = min(budget, self.budget or budget)
        if deadline_s is not None:
            self.deadline_s = min(deadline_s, self.deadline_s or deadline_s)


class Sentence:
    """A sentence from which the phrases that state constraints are taken out, one kind after the other."""

    def __init__(self, text: str) -> None:
        self._text = re.sub(r"\s+", " ", narrow(text)).strip()
        self.limits = Limits()

    def without_constraints(self) -> str:
        """The words that say what to do; `limits` then holds what was taken out."""
        self._take(_QUALITY, self._quality)
        self._take(_MEMORY, self._memory)
        self._take(_BUDGET, self._budget)
        self._take(_DEADLINE, self._deadline)
        self._take(_NO_PRIVACY, lambda _: self._privacy(Privacy.NORMAL))
        self._take(_HIGH_PRIVACY, lambda _: self._privacy(Privacy.HIGH))
        if self.limits.privacy is None and _MENTIONS_PRIVACY.search(self._text.lower()):
            # The words stay: they may also be what the work is about. Too careful is the safe side.
            self.limits.privacy = Privacy.HIGH
        return _tidy(self._text)

    def _take(self, pattern: str, read: "Callable[[re.Match[str]], bool]") -> None:
        # Lower-casing changes the length of a few foreign letters; then offsets would not fit.
        lower = self._text.lower() if len(self._text.lower()) == len(self._text) else self._text
        kept, at = "", 0
        for match in re.finditer(rf"(?P<join>{_JOIN})(?<![a-z0-9$.])(?P<all>{pattern})(?![a-z])", lower):
            if read(match):
                kept += self._text[at : match.start()] + " "
                at = match.end()
        self._text = kept + self._text[at:]

    def _budget(self, match: re.Match[str]) -> bool:
        before = match.string[: match.start("all")]
        if match["q3"] and _PRICED.search(before.rstrip()):
            return False
        self.limits.at_most(budget=parse_credits(_quantity(match), "budget"))
        return True

    def _deadline(self, match: re.Match[str]) -> bool:
        before = match.string[: match.start("all")]
        if _HORIZON.search(before) or (
            match["q3"] and _HORIZON.search(before + match["all"][: -len(match["q3"])])
        ):
            return False
        seconds = parse_duration(_quantity(match), "deadline")
        # "Predict readmission within 30 days" states a horizon; "... within 30 minutes" a deadline.
        says_so = bool(match["q1"] or match["q2"] or re.search(r"完成|做完|跑完|训练完", match["all"]))
        if seconds >= _DAY_S and not says_so and _FORECASTS.search(match.string):
            return False
        self.limits.at_most(deadline_s=seconds)
        return True

    def _quality(self, match: re.Match[str]) -> bool:
        name = next((n for n in METRICS if match[n]), None)
        if name is None:
            name = "accuracy" if match["after"] == "accurate" else metric_name(match["after"])
        self.limits.quality[name] = quality_bound(name, _quantity(match))
        return True

    def _memory(self, match: re.Match[str]) -> bool:
        self.limits.memory_bytes = parse_memory(_quantity(match), "memory")
        return True

    def _privacy(self, privacy: Privacy) -> bool:
        self.limits.privacy = privacy
        return True


def _quantity(match: re.Match[str]) -> str:
    groups = match.groupdict()
    return next(groups[name] for name in ("q1", "q2", "q3", "q4") if groups.get(name)).strip()


def _tidy(text: str) -> str:
    """The text without the connectives and marks that a cut leaves behind."""
    text = re.sub(r"\s+", lambda gap: "" if _between_han(gap) else " ", text)
    text = re.sub(r"\s*([,，;；、:：.。])(?:\s*[,，;；、.。])+", r"\1", text)
    text = re.sub(r"\s+([,，;；、:：])", r"\1", text)
    text = re.sub(
        r"(?i)(?:[\s,，;；、:：]|\b(?:and|with|but|for|please)\b|并且?|且|要求)+(?=[.。!！]?$)", "", text
    )
    return re.sub(r"(?i)^(?:[\s,，;；、:：.。的]|\b(?:and|but|then)\b)+", "", text).strip()


def _between_han(gap: re.Match[str]) -> bool:
    around = gap.string[max(0, gap.start() - 1) : gap.start()], gap.string[gap.end() : gap.end() + 1]
    return all(re.fullmatch(_HAN, c) for c in around)
