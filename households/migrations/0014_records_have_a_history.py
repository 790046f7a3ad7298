from django.db import migrations

from households.audit.tracking import FUNCTIONS, WITHOUT_FUNCTIONS, Track

DERIVED = (
    "search",
    "state",
    "householder_sound",
    "phone_index",
    "other_phone_index",
    "updated_at",
)


class Migration(migrations.Migration):
    dependencies = [("households", "0013_what_became_of_records")]

    operations = [
        migrations.RunSQL(FUNCTIONS, WITHOUT_FUNCTIONS),
        Track("household", without=DERIVED, of="id"),
        Track("step", of="household_id"),
        Track("area"),
        Track("user", without=("password", "last_login")),
        Track("apitoken", without=("digest", "last_used_at")),
        Track("rolerule"),
        Track("secondfactor", without=("secret", "counter")),
        Track("document", of="household_id"),
        Track("formernumber", of="household_id"),
        Track("paper"),
        Track("villagelist"),
        Track("listentry", of="household_id"),
        Track("listact"),
        Track("objection"),
        Track("changeslip"),
        Track("slipline", of="household_id"),
        Track("slipact"),
        Track("phonereveal"),
        Track("cardcode", without=("code",), of="household_id"),
    ]
