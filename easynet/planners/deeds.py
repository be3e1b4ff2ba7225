"""What kind of deed a word or a function does, and at which stage of a thing's life such a deed comes."""

import re
from types import MappingProxyType
from typing import Final

from easynet.core.capability import Capability
from easynet.planners.grams import words

_DEEDS: Final = {
    "look": "search query queries inquire inquiry inquiries enquire check find get look lookup know see view"
    " retrieve read list browse tell show status information info details detail track tracking tracker"
    " available availability whether verify confirm monitor watch fetch finder explore obtain"
    " 查询 查看 查找 搜索 检索 获取 了解 确认 跟踪 追踪 查",
    "choose": "select choose recommend recommendation suggest best compare comparison sort sorting filter"
    " prioritize rank pick suitable 选择 推荐 比较 对比 排序 筛选",
    "compute": "calculate calculation calculator compute estimate convert conversion analyze analysis"
    " summarize evaluate total translate translation translator 计算 估算 换算 分析 总结 评估 翻译",
    "make": "book booking reserve reservation reserving order ordering buy purchase purchasing create"
    " creating"
    " creation new make making maker set"
    " setting schedule scheduling arrange arranging add adding open"
    " register registration apply application appointment plan planning planner rent rental write generate"
    " issue hire subscribe train build"
    " 预订 预定 预约 订购 购买 创建 新建 制作 设置 安排 添加 申请 注册 租赁 生成 训练",
    "pay": "pay payment paying transfer transferring deposit repay repayment settle transaction charge"
    " recharge exchange invest loan remit 支付 付款 转账 存款 还款 充值 兑换 贷款",
    "change": "change changing changed modify modification update updating edit editing reschedule"
    " rescheduling adjust adjustment alter move postpone extend replace rename upgrade switch clean"
    " 修改 更改 变更 更新 编辑 改签 调整 改为 延长 替换 清洗",
    "cancel": "cancel cancelling cancellation cancelled delete deleting deletion del remove removal refund"
    " withdraw clear unsubscribe stop 取消 删除 移除 退款 撤销 清除 退订",
    "record": "record recording log save note notes entry enter import export store document archive backup"
    " upload download copy 记录 保存 录入 导入 导出 备份 上传 下载",
    "tell": "send sending notify notification remind reminder reminders email mail sms message alert inform"
    " share reply publish invite 发送 通知 提醒 短信 邮件 分享 告知",
}
STAGES = MappingProxyType(
    {
        "look": 0.0,
        "choose": 1.0,
        "compute": 1.0,
        "make": 2.0,
        "pay": 2.5,
        "change": 3.0,
        "cancel": 4.0,
        "record": 5.0,
        "tell": 6.0,
    }
)
"""A thing is looked up before it is made, made before it is changed, and told of when all is done."""
ANY_STAGE: Final = 2.0

_HARMLESS = frozenset({"look", "choose", "compute"})
"""Deeds after which the world is as it was before."""

_HEAD = re.compile("[:：]")
_OF_WORD = {word: deed for deed, listed in _DEEDS.items() for word in listed.split()}
_HAN_DEED = re.compile("|".join(sorted((w for w in _OF_WORD if not w.isascii()), key=len, reverse=True)))
_VERBS = re.compile(
    "search|query|check|find|view|read|list|cancel|change|send|create|add|delete|update|modify|calculate"
    "|select|recommend|book|get|remove|set|record|save|write"
)
"""Words that say at the head of a name what is done; elsewhere they name things, too."""


def deed_of(word: str) -> str | None:
    """The kind of deed that a word names, if it names one."""
    return _OF_WORD.get(word)


def han_deeds(text: str) -> list[tuple[str, int]]:
    """The deeds that Chinese words name, each with where it stands."""
    return [(_OF_WORD[m[0]], m.start()) for m in _HAN_DEED.finditer(text)]


def acts(capability: Capability) -> frozenset[str]:
    """What a capability does to the world, by its name and by what its descriptions begin with."""
    heads = [_HEAD.split(text, maxsplit=1)[0] for text in capability.description.values()]
    told = words(" . ".join((capability.name, *heads)))
    deeds = {deed_of(word) for word in told} | {deed for text in heads for deed, _ in han_deeds(text.lower())}
    return frozenset(d for d in deeds if d is not None and d not in _HARMLESS)


def stage(name: list[str], description: list[str], text: str = "") -> float:
    """The stage of life at which a function comes, by the words of its name, else of its description."""
    if name and _VERBS.fullmatch(name[0]):
        return STAGES[_OF_WORD[name[0]]]
    named = [_OF_WORD[w] for w in name if w in _OF_WORD]
    if named:
        return STAGES[named[-1]]
    told = [_OF_WORD[w] for w in description if w in _OF_WORD] or [deed for deed, _ in han_deeds(text)]
    return STAGES[told[0]] if told else ANY_STAGE
