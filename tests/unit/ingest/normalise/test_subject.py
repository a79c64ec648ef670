from collections.abc import Callable

import pytest

from ingest.normalise import Lexicons
from ingest.normalise.reading import Reading
from tests.unit.ingest.normalise.conftest import Say

Typed = Callable[[str], Reading]


@pytest.mark.parametrize(
    ("text", "channel", "code"),
    [
        ("石桥村村支书把低保给了他侄儿", "qx-county", "qx-sq-shiqiao-vc"),
        ("十桥村支书把低保给了他侄儿", "qx-county", "qx-sq-shiqiao-vc"),
        ("罗家霸村委会乱收费，一户收一百", "qx-county", "qx-sh-luojiaba-vc"),
        ("双河镇的镇长收红包才办事", "qx-county", "qx-sh-gov"),
        ("白鹤镇那个卫生院乱收费", "qx-county", "qx-bh-wsy"),
        ("民政局的人要五百块才给办低保", "qx-county", "qx-mzj"),
        ("我们村委会乱收费，每家收五十", "qx-fuxing", "qx-bh-fuxing-vc"),
        ("村支书贪污低保款", "qx-lanlin", "qx-ld-lanlin-vc"),
        ("镇政府不管，反映了好几次", "qx-shiqiao", "qx-sq-gov"),
        ("派出所不立案，报了好几次", "qx-shiqiao", "qx-sq-pcs"),
        ("云台县石桥村支书打人", "qx-county", "yt-sb-shiqiao-vc"),
        ("村上上个月底喊每户交四十五，票也没开", "qx-fuxing", "qx-bh-fuxing-vc"),
        ("大坪村把四间门面租给会计的女婿，没有开会", "qx-huilong", "qx-hl-daping-vc"),
        ("金竹乡的基地虚报面积套补贴，乡长在里面有股份", "qx-county", "qx-jz-gov"),
        ("桥栏杆断了，跟村上说了七八次没人装", "qx-fuxing", "qx-bh-fuxing-vc"),
    ],
)
def test_the_body_complained_of_is_found(say: Say, text: str, channel: str, code: str) -> None:
    made = say(text, channel)
    assert made.subject.unit_code == code
    assert made.provenance["subject.unit"][0].by == "rule"


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("石桥村的路烂了三年", "qx-shuanghe"),
        ("希望镇政府给我们装几盏路灯", "qx-shiqiao-town"),
        ("村支书收红包", "qx-county"),
        ("邻居占了我家三分地", "qx-fuxing"),
        ("镇上那个纸箱厂半夜冒黑烟", "qx-shiqiao"),
    ],
)
def test_where_no_body_is_said_the_channels_own_is_marked_as_such(
    say: Say, text: str, channel: str
) -> None:
    made = say(text, channel)
    (source,) = made.provenance["subject.unit"]
    assert source.by == "channel"
    assert source.from_character is None


def test_a_name_two_villages_share_means_the_one_of_the_channels_town(say: Say) -> None:
    assert say("石桥村支书贪污", "qx-shiqiao").subject.unit_code == "qx-sq-shiqiao-vc"
    assert say("新民村支书贪污", "yt-xinmin").subject.unit_code == "yt-sb-xinmin-vc"


@pytest.mark.parametrize(
    ("text", "name", "post"),
    [
        ("村支书王建国收了钱", "王建国", "村支书"),
        ("王院长收红包", "王某", "院长"),
        ("姓李的主任骂人", "李某", "主任"),
        ("窗口的老谢喊我交钱", "谢某", ""),
        ("我们村会计把钱拿走了", "", "村会计"),
        ("会计姓庞，把钱吃了", "庞某", "会计"),
        ("副镇长蒲志刚打人", "蒲志刚", "副镇长"),
        ("护林员王麻子砍树", "王某", "护林员"),
        ("民政局李科长要钱", "李某", "科长"),
        ("村支书邓有田收钱", "邓有田", "村支书"),
        ("包工头邢万才骗我们的工钱", "邢万才", "包工头"),
        ("主任医师尚德才收了红包", "尚德才", "主任医师"),
        ("国土员小柴收红包", "柴某", "国土员"),
        ("护林员去年把集体的树砍来卖了", "", "护林员"),
        ("钱叫队长自己揣了，一分没有入账", "", "队长"),
        ("低保名额都给了支书的老表，真正困难的没评上", "", "支书"),
        ("派出所的辅警小谯拦我摩托车，要三百", "谯某", "辅警"),
        ("职中那个校长，姓逯，定校服收了回扣", "逯某", "校长"),
        ("罗家坝的大队书记简华清多报了面积", "简华清", "大队书记"),
        ("我们小区物业的经理，收物业费跑得飞快，电梯坏了不修", "", "经理"),
        ("城关小学食堂的承包人杜天全顿顿拿冻肉打整", "杜天全", "承包人"),
    ],
)
def test_the_person_complained_of_is_found(say: Say, text: str, name: str, post: str) -> None:
    made = say(text)
    assert (made.subject.name, made.subject.post) == (name, post)


@pytest.mark.parametrize(
    ("text", "post"),
    [
        ("会计倒是客气。回龙镇的国土员说给他五百就照这个数写，我没给，他就写少了", "国土员"),
        ("妇女主任陪我去的，双河镇政府那个办事员要我给她三百八才给办", "办事员"),
        ("村医给我老汉看了，救护车的司机嫌路烂开到垭口就不走了", "司机"),
        ("我自己就是松林村退下来的支书。乡政府修路的工程款拖起不结", ""),
        ("李医生对我老汉那是没得说，我要说的是收费处，一张片子收了我两道", ""),
        ("周校长为这个跑了好多道，帮我们写材料，镇政府修的减速带没几天就散架", ""),
    ],
)
def test_who_helps_is_not_complained_of(say: Say, text: str, post: str) -> None:
    assert say(text).subject.post == post


@pytest.mark.parametrize(
    "text",
    [
        "他儿子王小军买了车，路烂了没人修", "老百姓没水吃，没人管", "对方司机不赔钱",
        "养老金停发了", "杨树倒了没人管", "黄沙堆在路上没人清",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_name_is_none(say: Say, text: str) -> None:
    assert say(text).subject.name == ""


@pytest.mark.parametrize(
    ("text", "name", "post"),
    [
        ("校长鲜建军每个礼拜从食堂拿肉", "鲜建军", "校长"),
        ("经办的是副校长古明远，多报了五十个人", "古明远", "副校长"),
        ("河头的沙遭人挖光，荀德富挖了半年，没有手续", "荀德富", ""),
        ("操场国庆前遭谢老板拉起围挡堆水泥", "谢某", "老板"),
        ("绿源公司带班的覃老四一脚踹我腰杆上", "覃某", "带班"),
    ],
)
def test_rare_surnames_are_names_where_the_rest_leaves_no_doubt(
    say: Say, text: str, name: str, post: str
) -> None:
    made = say(text, "qx-county")
    assert (made.subject.name, made.subject.post) == (name, post)


@pytest.mark.parametrize(
    "text",
    [
        "皮沙发买回来三天就破了，店里不给换",
        "古镇上乱收停车费，没有票",
        "单位上半年没有发工资，找了几回",
        "麻将馆半夜吵得人睡不着，没人管",
        "能源站关门三天，没有说为什么",
    ],
)
def test_words_that_begin_like_a_surname_are_no_names(say: Say, text: str) -> None:
    assert say(text, "qx-county").subject.name == ""


@pytest.mark.parametrize(
    ("text", "name", "post"),
    [
        ("晒坝遭罗正才拉起铁丝网圈了一半", "罗正才", ""),
        ("隔壁的单老四砌了堵墙", "单某", ""),
        ("应二娃在天台上养鸽子", "应某", ""),
        ("粮站的化验员冉小琼没上仪器", "冉小琼", "化验员"),
        ("姓隋的辅警杵到我身上", "隋某", "辅警"),
        ("昨天问秦会计，他说表让耗子啃了", "秦某", "会计"),
        ("客运办蒋主任收了我们每台车两百", "蒋某", "主任"),
        ("社长尹二毛把进水口拿水泥封了", "尹某", "社长"),
        ("班主任戴老师直接喊他莫来了", "戴某", "班主任"),
        ("宿管阿姨姓杨，把我女儿关在门外", "杨某", "宿管"),
        ("麻柳乡副乡长隆志刚把我喊到办公室", "隆志刚", "副乡长"),
        ("社区书记不准我们坐", "", "书记"),
        ("看井员罗二娃放水要收五十", "罗某", "看井员"),
        ("村主任沙马铁哈把低保给了他弟", "沙马铁哈", "村主任"),
        ("喊吉克小龙书记来看", "吉克小龙", "书记"),
        ("扎西次仁把我的草场占了", "扎西次仁", ""),
        ("院长杨次仁不准我们进去", "杨次仁", "院长"),
        ("卓玛老师打娃儿", "卓玛", "老师"),
        ("他叫阿依努尔·买买提，欠我三千", "阿依努尔·买买提", ""),
    ],
)
def test_people_are_found_who_are_hardly_said_to_be_one(
    lexicons: Lexicons, typed: Typed, text: str, name: str, post: str
) -> None:
    (person,) = lexicons.register.find(typed(text), ())
    assert (person.written, person.post) == (name, post)


@pytest.mark.parametrize(
    "text",
    [
        "遭高温热得睡地板",
        "我家老二在学校",
        "隔壁安装空调",
        "遭洪水冲了",
        "村里钱在哪里",
        "找他盖章",
        "窗口那个戴眼镜的说不行",
        "调度中心偏要喊我们等",
        "格桑花遭牛踩了",
        "坏的日子比好的多",
        "三个船员和公务员",
    ],
)
def test_nobody_is_found_where_words_only_begin_like_a_name(
    lexicons: Lexicons, typed: Typed, text: str
) -> None:
    assert lexicons.register.find(typed(text), ()) == ()


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("经手的是鄢树生，大家喊他鄢干事", [("鄢树生", "干事"), ("鄢树生", "干事")]),
        ("支书邓德润卖给了邓老四", [("邓德润", "支书"), ("邓某", "")]),
        ("王建国和王建军都找过王主任", [("王建国", ""), ("王建军", ""), ("王某", "主任")]),
        ("股长张口就骂人，他姓吴", [("吴某", "股长"), ("吴某", "股长")]),
        ("那个护工孃孃好像姓冷", [("冷某", "护工")]),
        ("办事员收我三十，姓栗的大爷也遭了", [("", "办事员"), ("栗某", "")]),
        ("主任收了钱，叫王强来拆我的棚", [("", "主任"), ("王强", "")]),
        ("那个保安翻我的包，这个人叫王强", [("王强", "保安"), ("王强", "保安")]),
        ("刘村会计给他亲哥刘世富报了", [("刘某", "村会计"), ("刘世富", "")]),
        ("张会计带起老板来，我儿子叫王强", [("张某", "会计"), ("", "老板"), ("王强", "")]),
    ],
)
def test_somebody_said_twice_is_one(
    lexicons: Lexicons, typed: Typed, text: str, people: list[tuple[str, str]]
) -> None:
    found = lexicons.register.find(typed(text), ())
    assert [(one.written, one.post) for one in found] == people


@pytest.mark.parametrize(
    ("text", "name", "post"),
    [
        ("调解员陈伟三月十二号把我骂了", "陈伟", "调解员"),
        ("监理葛亮中秋前收了一箱酒", "葛亮", "监理"),
        ("支书贾云国庆前砍了果林", "贾云", "支书"),
        ("支书李国庆砍了果林", "李国庆", "支书"),
        ("雷村主任拿公款请客", "雷某", "村主任"),
        ("岑中队长扣了我的车", "岑某", "中队长"),
        ("关坪村主任拉走了水泥", "", "村主任"),
        ("连村支书都喊不动", "", "村支书"),
        ("信贷员办贷款要抽两个点", "", "信贷员"),
        ("妇产科主任秦玉兰收了红包", "秦玉兰", "主任"),
        ("宿管何孃扯了我女儿的被子", "何某", "宿管"),
        ("遭一个叫童小峰的交警扣了本本", "童小峰", "交警"),
    ],
)
def test_names_end_where_something_else_begins(
    lexicons: Lexicons, typed: Typed, text: str, name: str, post: str
) -> None:
    found = lexicons.register.find(typed(text), ())
    assert [(one.written, one.post) for one in found] == [(name, post)]


def test_a_name_told_later_points_at_where_it_is_told(say: Say) -> None:
    made = say("镇上那个出纳吞了我们的分红，她叫王明海")
    sources = {one: made.provenance[f"subject.{one}"][0].text for one in ("name", "post")}
    assert (made.subject.name, made.subject.post) == ("王明海", "出纳")
    assert "王明海" in sources["name"]
    assert sources["post"] == "出纳"
