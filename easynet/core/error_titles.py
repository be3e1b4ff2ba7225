"""What kind of error it is, in Chinese, for those that say the details in English alone."""

from collections.abc import Mapping
from types import MappingProxyType

TITLES_ZH: Mapping[str, str] = MappingProxyType(
    {
        "easynet_error": "出错了",
        "usage": "无法理解这个请求",
        "unknown_function": "没有这个功能",
        "argument_mismatch": "参数不符合要求",
        "bad_data": "数据无法使用",
        "run_not_found": "没有这次运行",
        "run_busy": "这次运行正由另一个进程执行",
        "settings": "设置有误",
        "data_directory_unusable": "数据目录无法使用",
        "missing_extra": "缺少可选组件",
        "server_not_started": "服务器未能启动",
        "planning": "无法制定计划",
        "planning_timed_out": "制定计划超时",
        "model": "语言模型没有给出可用的回答",
        "placement": "没有节点可以执行",
        "infeasible": "在这些限制下无法完成",
        "money": "预算不足",
        "gateway": "网关出错",
        "gateway_unreachable": "无法连接网关",
        "access_denied": "没有权限",
        "node": "节点出错",
        "node_unreachable": "无法连接节点",
        "not_started": "节点没有开始执行",
        "node_refused": "节点拒绝执行",
        "privacy_breach": "私密数据未发送",
        "overloaded": "节点繁忙",
        "version_mismatch": "版本不兼容",
        "call_timeout": "调用超时",
        "outcome_unknown": "结果未知：可能已执行，不会重复发送",
        "unencodable": "值无法传输",
        "function_crashed": "函数所在的进程崩溃",
        "wrong_result": "结果不正确",
        "remote_failure": "函数出错",
        "run": "运行失败",
        "deadline_passed": "已超过期限",
    }
)
"""By the error's code; a kind that is not here is called as the one that it is a kind of."""
