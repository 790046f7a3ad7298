"""The form of an account: who it is, how far it reaches, which permissions it holds."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from devices.models import Supplier, SupplierMember
from households.accounts import account_acts
from households.filters import AreaChoice
from households.models import Area, Role, User
from households.models.accounts import OF_A_SUPPLIER

RIGHTS = ("role", "area", "supplier", *account_acts.PERMISSIONS)
TEXT = forms.TextInput({"class": "form-control", "autocomplete": "off"})
CHOICE = {"class": "form-select"}


class AccountForm(forms.Form):
    """`account` is None for a new one. What the asker may not change is shown and not taken."""

    username = forms.CharField(
        label=_lazy("账号"),
        max_length=30,
        help_text=_lazy("登录用，字母、数字，如姓名拼音；以后不能改"),
        widget=TEXT,
    )
    name = forms.CharField(label=_lazy("姓名"), max_length=40, widget=TEXT)
    role = forms.ChoiceField(label=_lazy("角色"), choices=Role.choices, widget=forms.Select(CHOICE))
    area = AreaChoice(
        Area.objects.exclude(level=Area.Level.DISTRICT).by_town(),
        label=_lazy("所属区域"),
        required=False,
        empty_label=_lazy("全区（不选）"),
        help_text=_lazy("网格员选村（社区），镇（街道）账号选镇（街道）"),
        widget=forms.Select(CHOICE),
    )
    supplier = forms.ModelChoiceField(
        Supplier.objects.all(),
        label=_lazy("供应商"),
        required=False,
        empty_label=_lazy("不属于供应商"),
        help_text=_lazy("供应商和安装人员必选"),
        widget=forms.Select(CHOICE),
    )
    keeps_accounts = forms.BooleanField(label=_lazy("账号管理（系统管理员）"), required=False)
    keeps_rights = forms.BooleanField(label=_lazy("权限管理（安全管理员）"), required=False)
    keeps_log = forms.BooleanField(label=_lazy("日志管理（审计管理员）"), required=False)

    def __init__(self, data: Any, by: User, account: User | None = None) -> None:
        super().__init__(data, initial=_initial(account))
        self.by, self.account = by, account
        if account is not None:
            self.fields["username"].disabled = True
        for field in self._not_theirs():
            self.fields[field].disabled = True
        if account is None and not by.manages_rights:
            kept = [choice for choice in Role.choices if choice[0] != Role.ADMINISTRATOR]
            self.fields["role"].choices = kept  # type: ignore[attr-defined]

    def _not_theirs(self) -> list[str]:
        """Fields that the asker does not answer for."""
        rights = [] if self.by.manages_rights else list(account_acts.PERMISSIONS)
        if self.account is None:
            return rights
        fields = [] if self.by.manages_rights else [*RIGHTS]
        return fields if self.by.manages_accounts else [*fields, "name"]

    def clean_username(self) -> str:
        username: str = self.cleaned_data["username"].strip()
        if self.account is None:
            User.username_validator(username)
            if User.objects.filter(username__iexact=username).exists():
                raise ValidationError(_("已有这个账号，请换一个。"))
        return username

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        role = said.get("role", "")
        if wrong := account_acts.wrong_area(role, said.get("area")):
            self.add_error("area", wrong)
        if role in OF_A_SUPPLIER and said.get("supplier") is None:
            self.add_error("supplier", _("请选择供应商。"))
        if role not in OF_A_SUPPLIER and said.get("supplier") is not None:
            self.add_error("supplier", _("这个角色不属于供应商，请不选。"))
        permissions = any(said.get(one) for one in account_acts.PERMISSIONS)
        if permissions and role != Role.ADMINISTRATOR:
            self.add_error("role", _("三员的权限只给系统管理员角色的账号。"))
        return said

    def create(self) -> tuple[User, str]:
        """The new account and its initial password."""
        said = self.cleaned_data
        with transaction.atomic():
            account, password = account_acts.create(
                said["username"], said["name"], Role(said["role"]), said["area"]
            )
            if any(said[one] for one in account_acts.PERMISSIONS):
                self._set_rights(account)
            self._set_supplier(account)
        return account, password

    def save(self) -> None:
        """Raises account_acts.Refused where the change would do harm; then nothing is changed."""
        account = self.account
        assert account is not None
        with transaction.atomic():
            account.name = self.cleaned_data["name"]
            account.save(update_fields=["name"])
            self._set_rights(account)
            self._set_supplier(account)

    def _set_rights(self, account: User) -> None:
        said = self.cleaned_data
        kept = {one: said[one] for one in account_acts.PERMISSIONS}
        account_acts.set_rights(account, self.by, Role(said["role"]), said["area"], **kept)

    def _set_supplier(self, account: User) -> None:
        """Another company is another reach: the account signs in anew."""
        supplier = self.cleaned_data["supplier"]
        before = SupplierMember.objects.filter(user=account).first()
        if (before.supplier_id if before else None) == (supplier.pk if supplier else None):
            return
        SupplierMember.objects.filter(user=account).delete()
        if supplier:
            SupplierMember.objects.create(user=account, supplier=supplier)
        account.sign_ins.end()


def _initial(account: User | None) -> dict[str, Any]:
    if account is None:
        return {"role": Role.CLERK}
    member = SupplierMember.objects.filter(user=account).first()
    fields = ("username", "name", "role", "area", *account_acts.PERMISSIONS)
    return {field: getattr(account, field) for field in fields} | {
        "supplier": member.supplier if member else None
    }
