"""Texts: language, keywords, readability, summaries by extraction."""

import math
import re
from collections import Counter
from typing import TypedDict

from easynet import contribute
from easynet.core.errors import BadData

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[a-zäöüßéèà']+|[\u3400-\u9fff]", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]?")
_COMMON_ENGLISH = """
a an and are as at be been but by can could for from had has have he her his i in is it its more not of on or
our she so than that the their them there they this to was we were what when which who will with would you
"""
_COMMON = {*_COMMON_ENGLISH.split(), *"的了是在和有不我们这那也就都而及与着或一个上下为到以说时要会可"}
_GLAD = {
    "good",
    "great",
    "excellent",
    "happy",
    "love",
    "best",
    "success",
    "better",
    "win",
    "gain",
    *"好优喜乐佳胜增赢",
}
_SAD = {
    "bad",
    "poor",
    "terrible",
    "sad",
    "hate",
    "worst",
    "failure",
    "worse",
    "lose",
    "loss",
    *"坏差悲哀糟败减输",
}
_PROFILES = {
    "English": {"the", "of", "and", "to", "in", "that", "is", "was", "for", "with"},
    "German": {"der", "die", "und", "das", "ist", "nicht", "mit", "ein", "von", "zu"},
    "French": {"le", "la", "les", "et", "des", "est", "que", "dans", "pour", "une"},
    "Spanish": {"el", "los", "que", "las", "una", "por", "con", "para", "del", "es"},
}


class TextBody(TypedDict):
    """A text in its sentences and words."""

    sentences: list[str]
    words: list[list[str]]


class LanguageGuess(TypedDict):
    """The language that a text is in."""

    language: str
    confidence: float


class Keywords(TypedDict):
    """The words that a text is about, the weightiest first."""

    words: list[str]
    weights: list[float]


class ReadingTime(TypedDict):
    """How long a text takes to read."""

    minutes: float
    words: int


class Readability(TypedDict):
    """How hard a text is to read."""

    words_per_sentence: float
    long_words: float
    score: float


class Mood(TypedDict):
    """Whether a text sounds glad or sad."""

    score: float
    glad: int
    sad: int


class TextSummary(TypedDict):
    """The sentences of a text that say most of it."""

    sentences: list[str]
    share: float


class TextProfile(TypedDict):
    """All about a text."""

    language: str
    minutes: float
    score: float
    mood: float
    keywords: list[str]
    summary: list[str]


@contribute(
    en="Read a text: split it into sentences and words.",
    zh="读取文本：切分为句子和词语。",
    specialization="text",
    tags=("article", "sentences", "文本", "文章", "句子"),
    price=1,
    expected_s=0.02,
)
def read_text(text: str) -> TextBody:
    sentences = [s.strip() for s in _SENTENCE.findall(text) if _WORD.search(s)]
    if not sentences:
        raise BadData("the text has no words")
    return {"sentences": sentences, "words": [_words(s) for s in sentences]}


def _words(sentence: str) -> list[str]:
    return [w.lower() for w in _WORD.findall(sentence)]


@contribute(
    en="Detect the language of a text.",
    zh="识别文本的语言。",
    specialization="text",
    tags=("language", "identify language", "语言", "语种"),
    examples=("which language is this article written in?", "这段文字是什么语言"),
    price=1,
    expected_s=0.03,
)
def detect_language(body: TextBody) -> LanguageGuess:
    words = [w for s in body["words"] for w in s]
    han = sum(bool(_HAN.match(w)) for w in words) / len(words)
    if han > 0.5:
        return {"language": "Chinese", "confidence": round(han, 3)}
    hits = {name: sum(w in common for w in words) for name, common in _PROFILES.items()}
    best = max(hits, key=lambda name: hits[name])
    return {"language": best, "confidence": round(hits[best] / max(1, sum(hits.values())), 3)}


@contribute(
    en="Find the keywords of a text.",
    zh="提取文本的关键词。",
    specialization="text",
    tags=("keywords", "key terms", "topics", "关键词", "主题词"),
    examples=("what is this article about?", "这篇文章讲什么"),
    price=3,
    expected_s=0.1,
)
def find_keywords(body: TextBody) -> Keywords:
    """By degree over frequency in the graph of words that stand together (RAKE; Rose et al., 2010)."""
    frequency: Counter[str] = Counter()
    degree: Counter[str] = Counter()
    for sentence in body["words"]:
        phrase: list[str] = []
        for word in [*sentence, "the"]:
            if word in _COMMON:
                for w in phrase:
                    frequency[w] += 1
                    degree[w] += len(phrase)
                phrase = []
            else:
                phrase.append(word)
    best = sorted(frequency, key=lambda w: (-frequency[w] * math.log(1 + degree[w]), w))[:8]
    return {"words": best, "weights": [round(frequency[w] * math.log(1 + degree[w]), 3) for w in best]}


@contribute(
    en="Estimate how long it takes to read a text.",
    zh="估算阅读一篇文本需要的时间。",
    specialization="text",
    tags=("reading time", "minutes", "阅读时间", "阅读时长"),
    examples=("how many minutes does this article take?", "读完这篇文章要多久"),
    price=1,
    expected_s=0.02,
)
def estimate_reading_time(body: TextBody) -> ReadingTime:
    words = [w for s in body["words"] for w in s]
    minutes = sum(1 / 260 if _HAN.match(w) else 1 / 230 for w in words)
    return {"minutes": round(minutes, 3), "words": len(words)}


@contribute(
    en="Measure the readability of a text: length of sentences and words.",
    zh="衡量文本的易读性：句子和词语的长度。",
    specialization="text",
    tags=("readability", "difficulty", "easy to read", "易读性", "难度", "可读性"),
    examples=("is this article hard to read?", "这篇文章难读吗"),
    price=2,
    expected_s=0.05,
)
def measure_readability(body: TextBody) -> Readability:
    words = [w for s in body["words"] for w in s]
    average, long = len(words) / len(body["sentences"]), sum(len(w) > 6 for w in words) / len(words)
    return {
        "words_per_sentence": round(average, 2),
        "long_words": round(long, 3),
        "score": round(max(0.0, 100 - 1.4 * average - 80 * long), 1),
    }


@contribute(
    en="Judge the mood of a text: does it sound glad or sad?",
    zh="判断文本的情绪：听起来高兴还是难过。",
    specialization="text",
    tags=("mood", "sentiment", "tone", "情绪", "情感", "语气"),
    examples=("is the tone of this review positive?", "这段评论是正面的吗"),
    price=2,
    expected_s=0.05,
)
def judge_mood(body: TextBody) -> Mood:
    words = [w for s in body["words"] for w in s]
    glad, sad = sum(w in _GLAD for w in words), sum(w in _SAD for w in words)
    return {"score": round((glad - sad) / max(1, glad + sad), 3), "glad": glad, "sad": sad}


@contribute(
    en="Summarise a text by its most telling sentences.",
    zh="用最有代表性的句子概括文本。",
    specialization="text",
    tags=("summary", "summarise", "abstract", "摘要", "概括", "总结文本"),
    examples=("give me the gist of this article", "概括一下这篇文章"),
    price=5,
    expected_s=0.2,
)
def summarise_text(body: TextBody, keywords: Keywords) -> TextSummary:
    """By TextRank (Mihalcea and Tarau, 2004), sentences with keywords counting more."""
    weight = dict(zip(keywords["words"], keywords["weights"], strict=True))
    sets = [{w for w in s if w not in _COMMON} for s in body["words"]]
    near = [[_likeness(a, b, weight) if a is not b else 0.0 for b in sets] for a in sets]
    totals = [sum(row) or 1.0 for row in near]
    rank = [1.0] * len(sets)
    for _ in range(6_000):
        rank = [
            0.15 + 0.85 * sum(near[j][i] / totals[j] * rank[j] for j in range(len(sets)))
            for i in range(len(sets))
        ]
    count = max(1, round(len(sets) / 4))
    best = sorted(sorted(range(len(sets)), key=lambda i: -rank[i])[:count])
    return {"sentences": [body["sentences"][i] for i in best], "share": round(count / len(sets), 3)}


def _likeness(a: set[str], b: set[str], weight: dict[str, float]) -> float:
    shared = sum(1 + weight.get(w, 0.0) for w in a & b)
    return shared / (math.log(1 + len(a)) + math.log(1 + len(b)) or 1.0)


@contribute(
    en="Write a full profile of a text: language, keywords, summary, mood, readability and reading time.",
    zh="给出文本的完整画像：语言、关键词、摘要、情绪、易读性和阅读时间。",
    specialization="text",
    tags=("text profile", "analyse text", "文本画像", "文本分析", "分析文章"),
    examples=("analyse this article from every side", "全面分析这篇文章"),
    price=4,
    expected_s=0.05,
)
def profile_text(
    language_guess: LanguageGuess,
    keywords: Keywords,
    summary: TextSummary,
    mood: Mood,
    readability: Readability,
    reading_time: ReadingTime,
) -> TextProfile:
    return {
        "language": language_guess["language"],
        "minutes": reading_time["minutes"],
        "score": readability["score"],
        "mood": mood["score"],
        "keywords": keywords["words"],
        "summary": summary["sentences"],
    }
