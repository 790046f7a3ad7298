"""Pages of who and where."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from households import personal, signing_in, views

urlpatterns = [
    path("sign-in/", signing_in.sign_in, name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("language/", personal.language, name="language"),
    path("personal/", personal.personal, name="personal"),
    path("personal/password/", personal.password, name="password"),
    path("personal/tokens/", personal.issue_token, name="issue_token"),
    path("personal/tokens/<int:pk>/revoke/", personal.revoke_token, name="revoke_token"),
    path("households/", views.ledger, name="households"),
    path("households/<slug:number>/phone/", views.phone, name="household_phone"),
]
