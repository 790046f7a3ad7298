"""Pages of who and where."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from households import personal, views

urlpatterns = [
    path("sign-in/", LoginView.as_view(template_name="households/sign_in.html"), name="sign_in"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("language/", personal.language, name="language"),
    path("personal/", personal.personal, name="personal"),
    path("personal/password/", personal.password, name="password"),
    path("personal/tokens/", personal.issue_token, name="issue_token"),
    path("personal/tokens/<int:pk>/revoke/", personal.revoke_token, name="revoke_token"),
    path("households/", views.ledger, name="households"),
    path("households/<slug:number>/phone/", views.phone, name="household_phone"),
]
