"""Times of what went before or after the act: somebody's errands, and how things were."""

from __future__ import annotations

import re

from ingest.normalise.times import Found

REACH = 26

# 8月26号交的资料, 前年递的申请去年又递: what the reporter handed in
_HANDED_IN = re.compile(
    r"[^，。,；！？!?]{0,8}?(?:"
    r"(?:交|递|送|填|报)(?:上去|过去|进去)?(?:的|了|过)?(?:一[份张摞])?(?:资料|材料|申请|表|单子)"
    r"|(?:交|递|送)上去"
    r"|又(?:递|申请)|才交(?=[，。,])"
    r")"
)
_PAPERS = re.compile(r"(?:申请书?|材料|资料|表格?|单子)$")
_SENT = re.compile(r"(?:就|才|已经)?(?:送|交|递)(?:到|上|给|了|的)")
# 昨天又跑了一道, 上周才又打过
_AGAIN = re.compile(r"(?:我|我们)?(?:才)?又(?:跑|去(?!年)|打过|催|问|找)(?:过|了|一|[，,。]|$)")
# 今年五一我回来打流水, 腊八我去看我舅舅: when somebody came to see it
_CAME = re.compile(
    r"(?:我|我们|娃儿|儿子|女儿)?(?:才|从外头|放假)?(?:回(?:来|去|屋|家|老家)|去)"
    r"(?:一看|看|收拾|拿|打流水|拉单子|柜台|查|上坟|办事)"
)
_LOOKED_UP = re.compile(
    r"[^。！？!?]{0,14}?(?:一看|一查|一打听|一拉|打流水|拉单子|拉流水)(?![^，。,]{0,2}(?:就|病))"
)
# 前天开会问他, 前天管水的人来说
_TOLD = re.compile(
    r"[^，。,；]{0,6}?(?:开会问|来说我|来跟我说|打电话来说|才[^，。,；]{0,4}(?:跟|给)我(?:摆|说|讲))"
)
# 2024年9月的判决: what a paper is dated
_PAPER = re.compile(r"份?的(?:判决|裁定|调解书|合同|协议|文件|通知|发票|收据|欠条|借条|单子|报告)")
# 重阳快拢了
_NEARLY = re.compile(r"(?:节)?(?:都)?快(?:拢|到|来|要到|要来)了")
# 过年人回来齐了更恼火: what every feast brings
_WORSE = re.compile(r"[^，。,；]{0,8}?(?:更(?!换|改|新)|每回|回回)")
# 我儿子……，零九年的，
_BORN = re.compile(r"的(?=[，。,])")
_CHILD = re.compile(r"(?:娃|儿|女|孙)[^。！？!?]{0,14}[，,]$")
# 这半年都在成都我这里
_LIVING = re.compile(r"(?:都|一直)在[^，。,；]{1,8}?(?:这里|那里|打工|住|带娃|带孙|屋头|上班|外头)")
# 二零一九年才翻修过: how new a thing is
_NEW = re.compile(r"才(?:翻修|新修|新换|修|建|装|安|换|铺|买|配)(?:过|的)")
# 身上穿的还是我前年给他买的那件
_BOUGHT = re.compile(r"给(?:我|你|他|她|娃儿|爸|妈)买的")
# 去年七月涨大水，…: what had happened before
_DISASTER = re.compile(
    r"[^，。,；]{0,4}?(?:涨过?(?:一[回次])?大?水|发大?水|洪水|地震|下暴雨|遭灾|受灾|车祸)"
)
# 当年2011年埋管子
_LONG_AGO = re.compile(r"(?:当年|那时候|那阵|以前)$")
# 前年开春去鱼塘喂鱼的, 2021年腊月借的
_WORKED = re.compile(
    r"(?:就)?(?:去|到|来)[^，。,；]{1,8}?(?:喂鱼|上班|打工|做活路|帮工|做工|当学徒)的"
)
_LENT = re.compile(r"(?:找[^，。,；]{1,4})?借的(?=[，。,])")
# 今年还办不办: what is only asked
_WHETHER = re.compile(r"(?:还|还要|会|要)?(?P<verb>[^，。,；])不(?P=verb)")
# 去年八月就遭取空了, 遭他去年过年拿挖机推平, 端午那天, 这个月二十号的事: what is told in earnest
_SUFFERED = re.compile(r"(?:份)?(?:(?:就|才|硬)?(?:遭|被)|那(?:天|回|次|晚)|的事(?=[，。,]|$))")
_BY_SOMEBODY = re.compile(r"(?:遭|被)[^，。,；！？!?]{1,6}$")


def is_errand(text: str, one: Found) -> bool:
    """Tell a time at which somebody asked, handed in, came to see or was told."""
    start, end = one.span.start, one.span.end
    before = text[max(0, start - REACH) : start]
    return bool(
        _HANDED_IN.match(text, end)
        or (_PAPERS.search(before) and _SENT.match(text, end))
        or _AGAIN.match(text, end)
        or _CAME.match(text, end)
        or _TOLD.match(text, end)
        or _PAPER.match(text, end)
        or _NEARLY.match(text, end)
        or _WORKED.match(text, end)
        or _WHETHER.match(text, end)
        or _LONG_AGO.search(before)
        or (one.interval.precision in ("year", "range") and _LIVING.match(text, end))
        or (one.interval.precision == "year" and _BORN.match(text, end) and _CHILD.search(before))
    )


def is_new_thing(text: str, one: Found) -> bool:
    """Tell a time that only says how new a thing is."""
    end = one.span.end
    return bool(_NEW.match(text, end) or _BOUGHT.match(text, end) or _LENT.match(text, end))


def is_worse_then(text: str, one: Found) -> bool:
    """Tell a time at which things are always worse."""
    return one.year is None and bool(_WORSE.match(text, one.span.end))


def is_seen(text: str, one: Found) -> bool:
    """Tell a time at which it came out, or of what nobody did: it stands behind any other time."""
    end = one.span.end
    return bool(_DISASTER.match(text, end) or _LOOKED_UP.match(text, end))


def is_told_for_itself(text: str, one: Found) -> bool:
    """Tell a time at which somebody had something done to them: it stands before any other."""
    before = text[max(0, one.span.start - REACH) : one.span.start]
    return bool(_SUFFERED.match(text, one.span.end) or _BY_SOMEBODY.search(before))
