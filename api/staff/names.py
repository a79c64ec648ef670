"""What codes are called on the pages, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.account import Permission, Role
from models.audit import Deed
from models.codes import Codes, Name
from models.status import Finding, Status


def _n(zh: str, en: str) -> Name:
    return Name(zh=zh, en=en)


STATUS: dict[str, Name] = {
    Status.RECEIVED: _n("处理中", "received"),
    Status.READY: _n("待处理", "ready"),
    Status.NEEDS_LISTENER: _n("待人工听", "needs a listener"),
    Status.IN_REVIEW: _n("审核中", "in review"),
    Status.ACCEPTED: _n("已受理", "accepted"),
    Status.PASSED_UP: _n("已上报", "passed up"),
    Status.TRANSFERRED: _n("已转办", "transferred"),
    Status.VERIFYING: _n("核查中", "verifying"),
    Status.CONCLUDED: _n("已办结", "concluded"),
    Status.RECTIFYING: _n("整改中", "rectifying"),
    Status.ARCHIVED: _n("已归档", "archived"),
    Status.WITHDRAWN: _n("已撤回", "withdrawn"),
}
# What the button that leads to a status says.
STEP: dict[str, Name] = {
    Status.READY: _n("放回待处理", "put back"),
    Status.NEEDS_LISTENER: _n("请人再听", "ask for a listener"),
    Status.IN_REVIEW: _n("开始审核", "begin review"),
    Status.ACCEPTED: _n("受理", "accept"),
    Status.PASSED_UP: _n("上报上级", "pass up"),
    Status.TRANSFERRED: _n("转办", "transfer"),
    Status.VERIFYING: _n("开始核查", "begin verifying"),
    Status.CONCLUDED: _n("办结", "conclude"),
    Status.RECTIFYING: _n("转入整改", "begin rectifying"),
    Status.ARCHIVED: _n("归档", "archive"),
}
FINDING: dict[str, Name] = {
    Finding.SUBSTANTIATED: _n("属实", "substantiated"),
    Finding.PARTLY: _n("部分属实", "partly"),
    Finding.UNSUBSTANTIATED: _n("不属实", "unsubstantiated"),
    Finding.SETTLED: _n("已化解", "settled"),
}
MEDIUM: dict[str, Name] = {
    "voice": _n("语音", "voice"),
    "text": _n("文字", "text"),
    "image": _n("照片", "photograph"),
    "mixed": _n("混合", "mixed"),
}
REASON: dict[str, Name] = {
    "asked_for": _n("举报人选了“其他语言”", "the reporter chose “another language”"),
    "unsupported_language": _n("没有这种语言的模型", "no model for this language"),
    "uncertain_language": _n("语言不确定", "language uncertain"),
    "poor_audio": _n("音质太差", "poor sound"),
    "no_speech": _n("没有听到说话", "no speech found"),
    "untrusted_text": _n("识别结果不可信", "text not to be trusted"),
    "processing_failed": _n("处理没有成功", "processing failed"),
}
# Why a passage of a transcript is doubted (transcribe.trust, transcribe.verdict).
DOUBT: dict[str, Name] = {
    "average_logprob": _n("识别把握", "certainty of the recogniser"),
    "no_speech": _n("可能无话音", "perhaps no speech"),
    "compression_ratio": _n("文字单调", "monotonous text"),
    "repetition": _n("重复", "repetition"),
    "characters_per_second": _n("每秒字数", "characters a second"),
    "cut_off": _n("没有写完", "cut off"),
    "phrase": _n("套话", "stock phrase"),
    "phrase_noted": _n("含有套话", "has a stock phrase"),
    "disagreement": _n("两次识别相合", "agreement of two decodings"),
    "language": _n("语言把握", "certainty of the language"),
}
MARK: dict[str, Name] = {
    "": _n("有话音", "speech"),
    "no_speech": _n("无话音", "no speech"),
    "noise": _n("噪声", "noise"),
    "cannot_tell": _n("听不清", "cannot tell"),
}
LANGUAGE: dict[str, Name] = {
    "zh": _n("汉语", "Chinese"),
    "zh-u-sd-cnsc": _n("四川话", "Sichuanese"),
    "yue": _n("粤语", "Cantonese"),
    "hak": _n("客家话", "Hakka"),
    "ug": _n("维吾尔语", "Uyghur"),
    "kk": _n("哈萨克语", "Kazakh"),
    "ky": _n("柯尔克孜语", "Kyrgyz"),
    "bo": _n("藏语", "Tibetan"),
    "mn": _n("蒙古语", "Mongolian"),
    "ii": _n("彝语", "Nuosu Yi"),
    "za": _n("壮语", "Zhuang"),
    "hmn": _n("苗语", "Miao"),
    "khb": _n("傣语", "Dai"),
    "cng": _n("羌语", "Qiang"),
    "ko": _n("朝鲜语", "Korean"),
    "en": _n("英语", "English"),
    "und": _n("未知", "unknown"),
}
FIELD: dict[str, Name] = {
    "title": _n("标题", "Title"),
    "subject.unit": _n("被反映单位", "Unit"),
    "subject.name": _n("被反映人", "Person"),
    "subject.post": _n("职务", "Post"),
    "subject.rank": _n("级别", "Rank"),
    "subject.region": _n("地区", "Region"),
    "domain": _n("领域", "Domain"),
    "conduct": _n("行为", "Conduct"),
    "occurred": _n("发生时间", "When"),
    "place": _n("地点", "Where"),
    "amounts": _n("数额", "How much"),
    "description": _n("内容", "Description"),
}
RANK: dict[str, Name] = {
    "": _n("未定", "not known"),
    "village": _n("村级", "village"),
    "town": _n("乡镇级", "town"),
    "county": _n("县级", "county"),
    "city": _n("市级", "city"),
    "province": _n("省级", "province"),
}
SOURCE: dict[str, Name] = {
    "reporter": _n("举报人填写", "reporter"),
    "channel": _n("渠道推定", "channel"),
    "rule": _n("规则识别", "rule"),
    "model": _n("模型推断", "model"),
    "staff": _n("人工确认", "staff"),
}
ROLE: dict[str, Name] = {
    Role.LISTENER: _n("听译员", "listener"),
    Role.INSPECTOR: _n("巡察员", "inspector"),
    Role.LEAD: _n("组长", "lead"),
    Role.OVERSEER: _n("监督员", "overseer"),
    Role.ADMINISTRATOR: _n("管理员", "administrator"),
}
PERMISSION: dict[str, Name] = {
    Permission.IDENTITY: _n("查看举报人身份", "see identities"),
    Permission.ORIGINALS: _n("取原始文件", "fetch originals"),
    Permission.EXPORT: _n("导出", "export"),
}
STAGE: dict[str, Name] = {
    "prepare": _n("准备", "prepare"),
    "transcribe": _n("转写", "transcribe"),
}
WORKER: dict[str, Name] = {
    "busy": _n("忙", "busy"),
    "idle": _n("空闲", "idle"),
    "started": _n("刚启动", "just started"),
    "suspended": _n("暂停", "suspended"),
    "?": _n("在线", "alive"),
}
FAULT: dict[str, Name] = {
    "": _n("处理进程中断，没有留下原因", "the worker died without saying why"),
    "overrun": _n("超出时间或内存限制", "over the limit of time or memory"),
    "engine": _n("识别引擎出错", "the recogniser failed"),
    "NotFound": _n("原始文件不在", "the original is missing"),
}
DEED: dict[str, Name] = {
    Deed.LOOKED: _n("查看", "looked"),
    Deed.ATTEMPT_FAILED: _n("处理没有成功", "processing failed"),
    Deed.LISTED: _n("查看列表", "listed"),
    Deed.IDENTITY_SEEN: _n("查看身份", "saw the identity"),
    Deed.ORIGINAL_FETCHED: _n("取原始文件", "fetched the original"),
    Deed.COPY_PLAYED: _n("播放", "played"),
    Deed.TRANSCRIPT_READ: _n("读取文字稿", "read a transcript"),
    Deed.EXPORTED: _n("导出", "exported"),
    Deed.CORRECTED: _n("更正文字稿", "corrected"),
    Deed.TRANSCRIPT_ACCEPTED: _n("确认文字稿", "accepted a transcript"),
    Deed.FIELD_CHANGED: _n("修改字段", "changed a field"),
    Deed.FIELD_CONFIRMED: _n("确认字段", "confirmed a field"),
    Deed.TRANSLATED: _n("写译文", "translated"),
    Deed.REPEAT_DECIDED: _n("判定重复件", "decided on a repeat"),
    Deed.RETRIED: _n("重新处理", "retried"),
    Deed.AUDIT_READ: _n("查看审计", "read the audit log"),
    Deed.STATUS_CHANGED: _n("变更状态", "changed the status"),
    Deed.MOVED_UP: _n("自动上移", "moved up"),
    Deed.ASSIGNED: _n("分派", "assigned"),
    Deed.ANSWERED: _n("答复", "answered"),
    Deed.WITHDRAWN: _n("撤回", "withdrew"),
    Deed.CONSENTED: _n("改训练意愿", "changed the consent"),
    Deed.SHUT_OUT: _n("回避", "shut out"),
    Deed.ACCOUNT_ADDED: _n("新增账号", "added an account"),
    Deed.ACCOUNT_CHANGED: _n("修改账号", "changed an account"),
    Deed.LOGGED_IN: _n("登录", "logged in"),
    Deed.LOGGED_OUT: _n("退出", "logged out"),
    Deed.LOGIN_FAILED: _n("登录失败", "failed to log in"),
    Deed.LOCKED_OUT: _n("锁定", "locked out"),
    Deed.TOKEN_ISSUED: _n("发放令牌", "issued a token"),
    Deed.TOKEN_REVOKED: _n("撤销令牌", "revoked a token"),
    Deed.CHANNEL_ADDED: _n("新增渠道", "added a channel"),
    Deed.CHANNEL_CHANGED: _n("修改渠道", "changed a channel"),
    Deed.PROMPT_RECORDED: _n("录提示音", "recorded a prompt"),
    Deed.PROMPT_REMOVED: _n("删提示音", "removed a prompt"),
}
# What a person may give as the language of a segment, in the order that it is offered.
OFFERED = (
    "zh", "zh-u-sd-cnsc", "yue", "hak", "ug", "kk", "ky", "bo", "mn", "ii", "za", "hmn", "khb",
    "cng", "ko", "und",
)  # fmt: skip


@dataclass(frozen=True)
class Option:
    """One value that a filter or field can have."""

    value: str
    name: str


REPEAT: dict[str, Name] = {
    "same_recording": _n("同一个文件", "the same file"),
    "same_sound": _n("同一段录音", "the same recording"),
    "same_matter": _n("像是同一件事", "seems the same matter"),
    "unit": _n("单位", "unit"),
    "domain": _n("领域", "domain"),
    "person": _n("人", "person"),
    "occurred": _n("时间", "time"),
    "amounts": _n("数额", "amounts"),
    "text": _n("说法", "words"),
}


def repeat(reason: Mapping[str, Any], lang: str) -> str:
    """Say why a repeat is proposed: what seems the same, and what agrees."""
    agree = [called(REPEAT, one, lang) for one in reason.get("agree", ()) if one in REPEAT]
    listed = f" ({', '.join(agree)})" if lang == "en" else f"（{'、'.join(agree)}）"
    kind = called(REPEAT, reason.get("kind", reason.get("why", "")), lang)
    return kind + (listed if agree else "")


def called(table: Mapping[str, Name], code: object, lang: str) -> str:
    """Give a code's name, or the code where it has none."""
    name = table.get(str(code))
    if name is None:
        return str(code)
    return name.en if lang == "en" else name.zh


def language(tag: str, lang: str) -> str:
    """Name a language by its tag, or by the tag's first part."""
    known = LANGUAGE.get(tag) or LANGUAGE.get(tag.split("-")[0])
    return tag if known is None else (known.en if lang == "en" else known.zh)


def options(table: Mapping[str, Name], lang: str) -> tuple[Option, ...]:
    """List a table's codes with their names."""
    return tuple(Option(str(code), called(table, code, lang)) for code in table)


def domains(codes: Codes, lang: str) -> tuple[Option, ...]:
    """List the domains."""
    return options(codes.domain, lang)


def conducts(codes: Codes, lang: str) -> tuple[Option, ...]:
    """List the conducts."""
    return options(codes.conduct, lang)
