"""Why a paper of a maker is taken away."""

from django.utils.translation import gettext_lazy as _lazy

REASONS = [
    ("wrong_kind", _lazy("选错了材料")),
    ("wrong_model", _lazy("传错了型号")),
    ("unreadable", _lazy("看不清")),
    ("outdated", _lazy("已有新的")),
    ("untrue", _lazy("与原件不符")),
]
