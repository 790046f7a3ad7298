"""Pages of 账号管理."""

from django.urls import path

from devices import account_list, account_pages

urlpatterns = [
    path("accounts/", account_list.accounts, name="accounts"),
    path("accounts/new/", account_pages.new_account, name="new_account"),
    path("accounts/<int:pk>/", account_pages.account, name="account"),
    path("accounts/<int:pk>/password/", account_pages.reset_password, name="reset_password"),
    path("accounts/<int:pk>/disable/", account_pages.disable, name="disable_account"),
    path("accounts/<int:pk>/enable/", account_pages.enable, name="enable_account"),
    path("accounts/<int:pk>/unlock/", account_pages.unlock, name="unlock_account"),
    path("accounts/<int:pk>/sessions/", account_pages.end_sessions, name="end_sessions"),
    path(
        "accounts/<int:pk>/second-factor/",
        account_pages.remove_second_factor,
        name="remove_second_factor",
    ),
    path("accounts/<int:pk>/handover/", account_pages.hand_over, name="hand_over_account"),
]
