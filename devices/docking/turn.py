"""What comes next of an application, said to each side: what to do, or for whom one waits."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.docking import applications
from devices.models import DockingApplication, DockingState
from households.models import User

S = DockingState
TO_THE_MAKER = {
    S.SUBMITTED: _lazy(
        "请把主控板和无线数据传输装置样品、通讯协议送到平台服务单位；收样后您会收到消息。"
    ),
    S.RETURNED: _lazy("请按退回的原因修改申请，再提交。"),
    S.RECEIVED: _lazy("样品已收到，等平台服务单位测试。不用等；有结果您会收到消息。"),
    S.TESTING: _lazy("平台服务单位正在测试，每一步都可以看到。不用等；有结果您会收到消息。"),
    S.FAILED: _lazy("请按测试结论整改；换了主控板、固件、装置或点表的，先修改申请，再提交、送样。"),
    S.PASSED: _lazy("测试通过，等平台服务单位签发；签发后您会收到消息。"),
    S.ISSUED: _lazy("已办结：可以下载确认书。"),
    S.WITHDRAWN: _lazy("已撤回；需要时另行申请。"),
}
TO_THE_SERVICE_UNIT = {
    S.SUBMITTED: _lazy("样品送到后照样品和协议核对；与申请不同的，以样品为准。"),
    S.RETURNED: _lazy("等供应商修改后重新提交。"),
    S.TESTING: _lazy("正在测试：全部步骤做完后判定。"),
    S.FAILED: _lazy("等供应商整改；样品还在的，可以重新测试。"),
    S.ISSUED: _lazy("已办结。"),
    S.WITHDRAWN: _lazy("已撤回。"),
}


def said(user: User, application: DockingApplication) -> str:
    """The sentence for this user; empty where a form or a question beside it says what to do, and
    for those who only look on."""
    state = S(application.state)
    if applications.acts_for(user, application):
        return str(TO_THE_MAKER.get(state, ""))
    if not user.tests_docking:
        return ""
    if state == S.RECEIVED:
        return _connected(application)
    return str(TO_THE_SERVICE_UNIT.get(state, ""))


def _connected(application: DockingApplication) -> str:
    if application.sample_id:
        return _("样机已接入，可以开始测试。")
    return _("先接入样机，再开始测试。")
