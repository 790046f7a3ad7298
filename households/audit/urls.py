"""History, looked-up phones and the public card."""

from django.urls import path

from households import card_page, searching
from households.audit import log_pages, story_page

urlpatterns = [
    path("households/<slug:number>/story/", story_page.household_story, name="household_story"),
    path("words/", searching.seal_words, name="seal_words"),
    path("card/<str:code>/", card_page.public_card, name="public_card"),
    path("log/", log_pages.log, name="log"),
    path("log/phones/", log_pages.reveal_log, name="reveal_log"),
    path("log/head/", log_pages.seal_head, name="seal_head"),
]
