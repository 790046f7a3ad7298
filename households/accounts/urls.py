"""Pages of signing in and of one's own account."""

from django.urls import path

from households.accounts import (
    own_sessions,
    personal_settings,
    role_rules,
    second_factor_pages,
    signing_in,
)

urlpatterns = [
    path("sign-in/", signing_in.sign_in, name="sign_in"),
    path("sign-in/code/", signing_in.sign_in_code, name="sign_in_code"),
    path("sign-out/", signing_in.sign_out, name="sign_out"),
    path("language/", personal_settings.language, name="language"),
    path("personal/", personal_settings.personal, name="personal"),
    path("personal/password/", personal_settings.password, name="password"),
    path("personal/second-factor/", second_factor_pages.page, name="second_factor"),
    path("personal/second-factor/codes/", second_factor_pages.new_codes, name="new_codes"),
    path("personal/second-factor/remove/", second_factor_pages.remove, name="remove_factor"),
    path("personal/sessions/others/end/", own_sessions.end_others, name="end_other_sessions"),
    path("personal/sessions/<int:pk>/end/", own_sessions.end, name="end_session"),
    path("accounts/rules/", role_rules.page, name="role_rules"),
    path("personal/tokens/", personal_settings.issue_token, name="issue_token"),
    path("personal/tokens/<int:pk>/revoke/", personal_settings.revoke_token, name="revoke_token"),
]
