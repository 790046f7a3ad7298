"""Forms of a village's list: the notice and what is said against it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from households import clock, personal_numbers
from households.filters import FIELD

FILES = {**FIELD, "accept": "image/jpeg,image/png,application/pdf"}


def day_field(label: Any, **options: Any) -> forms.DateField:
    """A date, picked or typed as 2026-11-23."""
    widget = forms.DateInput({**FIELD, "type": "date"}, "%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, **options)


class NoticeForm(forms.Form):
    begin = day_field(_lazy("公示开始"))
    end = day_field(_lazy("公示结束"))
    photo = forms.FileField(
        label=_lazy("公示照片"),
        required=False,
        help_text=_lazy("张贴后拍照；可以以后补，提交审核前要有"),
        widget=forms.ClearableFileInput(FILES),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["begin"].initial = clock.today
        self.fields["end"].initial = self._end
        self.fields["end"].help_text = _("不少于 %(n)d 天，首尾两天都算") % {
            "n": settings.NOTICE_DAYS
        }

    @staticmethod
    def _end() -> date:
        return clock.today() + timedelta(days=settings.NOTICE_DAYS - 1)


class ObjectionForm(forms.Form):
    on = day_field(_lazy("提出日期"))
    text = forms.CharField(
        label=_lazy("异议内容"),
        max_length=200,
        help_text=_lazy("不写提出人的身份证号、银行卡号"),
        validators=[personal_numbers.none_in],
        widget=forms.TextInput(FIELD),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["on"].initial = clock.today


def sentences(form: forms.Form) -> list[str]:
    """What is wrong in a form, each mistake with the name of its field."""
    return [
        f"{form.fields[name].label}：{error}" if name in form.fields else str(error)
        for name, errors in form.errors.items()
        for error in errors
    ]
