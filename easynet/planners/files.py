"""Files that a sentence names: `words.txt`, `data/patients.csv`, “病人.csv”."""

import re

from easynet.core.language import Language, say

_ENDINGS = (
    "avi|avro|bmp|cfg|conf|csv|dat|dcm|db|doc|docx|eml|feather|flac|gif|gz|h5|htm|html|ini|ipynb|jpeg|jpg|json"
    "|jsonl|log|mbox|md|mkv|mov|mp3|mp4|nii|npy|npz|ods|ogg|orc|parquet|pdf|png|pptx?|py|rst|rtf|sqlite|sql|svg"
    "|tar|tex|tiff?|toml|tsv|txt|wav|webm|webp|xlsx?|xml|ya?ml|zip"
)
_MARK = "\u2060"
"""An invisible character on both sides of a word that stands for a path."""
_NAME = r"[a-z0-9_.~\\/+@:-]*[a-z0-9_+-]"
_FILE = re.compile(
    rf"(?P<mark>[\"'`“「《])(?P<quoted>[^\"'`”」》\n]{{1,200}}\.(?:{_ENDINGS}))[\"'`”」》]"
    # A name in Chinese has to stand alone, for else nothing tells where it begins.
    rf"|(?:^|(?<=[\s,，:：;；。!?！？、(（]))(?P<alone>[\w./\\~-]*[㐀-鿿]\.(?:{_ENDINGS}))(?=$|[\s,，;；。!?！？])"
    rf"|(?<![a-z0-9_.~\\/+@:-])(?P<plain>{_NAME}\.(?:{_ENDINGS}))(?![a-z0-9_\\/-]|\.[a-z0-9])",
    re.IGNORECASE,
)


_OWN_DATA = re.compile(
    r"\b(?:my|our)\b(?: \w+){0,3} (?:data|datasets?|files?|tables?|csv|records?|spreadsheets?)\b"
    r"|我们?的?(?:[\u3400-\u9fff]{0,4})(?:数据|文件|表格|表|记录)",
    re.IGNORECASE,
)


def brings_data(text: str) -> bool:
    """Whether the text speaks of data of the user's own, so that no sample may stand in for it."""
    return bool(files_in(text) or _OWN_DATA.search(text))


def files_in(text: str) -> tuple[str, ...]:
    """The paths that the text names, each once, in order. Whether they exist is not looked at."""
    return tuple(dict.fromkeys(path for m in _FILE.finditer(text) if (path := _path(m))))


def without_files(text: str, language: Language = "en") -> str:
    """The text with each path replaced by the word for a file, so that a name says nothing about the work."""
    word = say(language, f" {_MARK}file{_MARK} ", f"{_MARK}文件{_MARK}")
    return _FILE.sub(lambda m: word if _path(m) else m[0], text)


def readable(text: str) -> str:
    """What `without_files` gave, as a person would write it."""
    return " ".join(text.replace(_MARK, "").split())


def unmentioned(text: str) -> str:
    """What `without_files` gave, without the words that stand for paths."""
    return re.sub(rf"{_MARK}[^{_MARK}]*{_MARK}", " ", text)


def _path(match: re.Match[str]) -> str:
    path = match["quoted"] or match["alone"] or match["plain"]
    return "" if "://" in path or "@" in path else path
