"""Pages of who and where."""

from django.urls import include, path

from households import card_page, messages_page, phone_page, views

urlpatterns = [
    path("", include("households.accounts.urls")),
    path("", include("households.village_lists.urls")),
    path("", include("households.ledger.urls")),
    path("", include("households.entry.urls")),
    path("", include("households.audit.urls")),
    path("messages/", messages_page.messages, name="messages"),
    path("households/", views.ledger, name="households"),
    path("households/<slug:number>/phone/", phone_page.phone, name="household_phone"),
    path("households/<slug:number>/card/renew/", card_page.renew_card, name="renew_card"),
]
