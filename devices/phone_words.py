"""What the phone's script says: {braces} are filled in there."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """By key, in the language of the account."""
    return {
        "title": _("安装登记"),
        "online": _("有信号"),
        "offline": _("无信号"),
        "all_sent": _("已全部上传"),
        "waiting": _("待传 {n} 条"),
        "refused_n": _("退回 {n} 条"),
        "households": _("名单 {n} 户"),
        "as_of": _("名单更新于 {at}"),
        "more": _("名单很长，只列出前面一部分：其余请用电脑登记"),
        "none": _("名单里没有待安装的改造户。镇（街道）分派、供应商交给您以后就会出现。"),
        "none_yet": _("还没有取得名单：有信号时打开本页一次，以后没有信号也能填。"),
        "all": _("全部"),
        "by_village": _("按村"),
        "by_distance": _("离我近的在前"),
        "kept_here": _("存在本机的"),
        "state_waiting": _("待传"),
        "state_refused": _("退回，请改正"),
        "state_draft": _("填了一半"),
        "metres": _("{n} 米"),
        "kilometres": _("{n} 公里"),
        "send": _("上传 {n} 条"),
        "sending": _("正在上传，可以继续填"),
        "nothing_to_send": _("没有要上传的"),
        "send_later": _("没有信号，{n} 条存在本机"),
        "refresh": _("刷新名单"),
        "leave": _("退出登录"),
        "next": _("下一步"),
        "save": _("保存并上传"),
        "save_offline": _("存到本机，有信号时上传"),
        "back": _("上一步"),
        "keep": _("暂存"),
        "step": _("第 {n} 步，共 {all} 步"),
        "filled": _("已填 {n} 项"),
        "stored": _("{number} 已保存。"),
        "queued": _("{number} 已存在本机，有信号时自动上传，不用等，可以离开。"),
        "refused": _("{number} 没有存上：请按提示改正后再保存。"),
        "sign_in": _("登录已过期。请重新登录，本机的 {n} 条会接着上传。"),
        "forbidden": _("这个账号不登记安装信息。"),
        "other_user": _("现在登录的是另一个账号：这里的记录只由原来的账号上传。"),
        "sign_in_act": _("重新登录"),
        "insecure": _(
            "本页不是 HTTPS：浏览器不允许定位，也不能在没有信号时打开本页。"
            "请手工填写经纬度；没有信号时不要关闭本页，已填的内容存在本机。"
        ),
        "no_worker": _(
            "没有信号时不要关闭本页：这个浏览器关掉后要有信号才能再打开。已填的内容存在本机。"
        ),
        "wechat": _(
            "您在微信里打开了本页：没有信号时不要关闭，已填的内容存在本机。"
            "更稳妥的办法：点右上角“···”，选“在浏览器打开”。"
        ),
        "no_store": _("这个浏览器不能在本机保存记录（可能是无痕模式）：请换一个浏览器。"),
        "ask_leave": _("还有 {n} 条没有上传。退出后它们仍存在本机，只有您再次登录才会上传。"),
        "ask_clear": _("清空会丢掉本机上没有上传的 {n} 条和填了一半的内容，不能恢复。"),
        "not_left": _(
            "没有信号或服务器没有回应，现在退不了登录：名单和记录还在本机，有信号时再退出。"
        ),
        "failed": _("服务器出错，有记录没有传上：会自动再试。一直传不上请联系平台服务单位。"),
        "full": _(
            "手机存储空间不够，这次填的还没有存下：请不要关闭本页，"
            "清理手机空间或删掉几张照片后再保存。"
        ),
        "leave_anyway": _("仍然退出"),
        "clear": _("清空本机"),
        "clear_anyway": _("丢掉并清空"),
        "stay": _("不退出"),
        "cleared": _("本机已清空。"),
        "locating": _("正在定位"),
        "locate": _("取当前位置"),
        "located": _("已定位，精度约 {n} 米"),
        "located_badly": _("精度约 {n} 米，不够好：请到室外再取一次"),
        "not_allowed": _("没有得到定位许可：请在浏览器设置里允许，或手工填写"),
        "not_located": _("没有取到位置：请到室外再试，或手工填写"),
        "scanned": _("已识别"),
        "not_scanned": _("没有认出条码：请靠近、对准再拍，或照标签抄写"),
        "no_scanner": _("这个浏览器不能识别条码：请照标签抄写"),
        "check_digit": _("像 IMEI（15 位），但校验位不对：请再核对一次"),
        "needs_model": _("请选设备厂商、名称和型号"),
        "needs_number": _("装置编号和设备出厂地址编号至少要有一个"),
        "needs_area": _("请填取暖面积"),
        "needs_day": _("请填安装日期"),
        "needs_reason": _("请写更正原因"),
        "photos": _("{n} 张，共可 {all} 张"),
        "photo": _("照片 {n}"),
        "remove": _("删除"),
        "too_large": _("照片太大，服务器不收：请删掉再拍"),
        "show": _("显示"),
        "call": _("拨打"),
        "not_shown": _("现在看不到号码：请有信号时再试"),
        "correct": _("更正 {unit}"),
        "replace": _("更换机组"),
        "add": _("加装一台"),
    }
