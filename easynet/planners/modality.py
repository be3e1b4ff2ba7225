"""Kinds of data that a request names and a plan does not handle."""

import re
from collections.abc import Iterable

from easynet.core.capability import Capability, Role
from easynet.core.language import Language, say

_MODALITIES = {
    ("images", "影像"): r"images?|imaging|pictures?|photos?|x-?rays?|mri|ct scans?|scans?"
    r"|影像|图像|图片|照片|x ?光片?|ct片?|核磁",
    ("video", "视频"): r"videos?|clips?|footage|视频|录像",
    ("audio", "音频"): r"audio|sounds?|speech|recordings?|音频|语音|录音|声音",
    ("text", "文本"): r"texts?|documents?|articles?|emails?|comments?|文本|文档|文章|邮件|评论",
}
_TABLE = re.compile(r"table|csv|frame|表")
_BY_PATTERN = {names: re.compile(rf"(?<![a-z])(?:{words})(?![a-z])") for names, words in _MODALITIES.items()}


def modality_caveats(
    text: str, plan: Iterable[Capability], language: Language, *, asked_for: Iterable[Capability] = ()
) -> tuple[str, ...]:
    """A sentence for each kind of data that the text names and no step of the plan reads.

    The description of a step that was `asked_for` tells what it reads in any words; that of another step only
    where it uses the very word, because a loader of "text files" is no reader of articles.
    """
    # Sample data is about its subject, whatever form it comes in; it reads nothing.
    steps = [c for c in plan if c.role is not Role.SAMPLE]
    wanted = {c.name for c in asked_for}
    handled = " ".join(
        (*(_says_about_data(c) for c in steps), *(_description(c) for c in steps if c.name in wanted))
    )
    on_table = bool(_TABLE.search(" ".join(map(_says_about_data, steps))))
    # What presents results writes text and draws pictures; it reads neither.
    described = " ".join(_description(c) for c in steps if c.role is not Role.PRESENT)
    return tuple(
        say(
            language,
            f"You mentioned {en}, but no step of this plan reads {en}"
            + ("; it works on a table." if on_table else "."),
            f"您提到了{zh}，但计划中没有处理{zh}的步骤" + ("；它处理的是数据表。" if on_table else "。"),
        )
        for (en, zh), words in _BY_PATTERN.items()
        if not words.search(handled) and not _named(words, text.lower()) <= _named(words, described)
    )


def _named(words: re.Pattern[str], text: str) -> set[str]:
    return {word.removesuffix("s") for word in words.findall(text)}


def _says_about_data(capability: Capability) -> str:
    types = (t for p in capability.parameters for t in (p.name, p.type.name))
    words = " ".join((capability.name, *types, capability.output.name, *capability.tags))
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", words).lower()


def _description(capability: Capability) -> str:
    return " ".join(capability.description.values()).lower()
