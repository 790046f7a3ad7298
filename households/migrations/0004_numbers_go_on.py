"""Numbers that households have already are not given again; their names get their sound."""

from collections import Counter

from django.db import migrations

from households.pinyin import sound


def begin_after_the_last(apps, schema_editor):
    Household = apps.get_model("households", "Household")
    NumberLine = apps.get_model("households", "NumberLine")
    last, places = {}, Counter()
    for year, area, number in Household.objects.values_list("year", "area_id", "number"):
        _, line, serial = number.split("-")
        key = (year, int(line))
        last[key] = max(last.get(key, 0), int(serial))
        places[(*key, area)] += 1
    lines, areas = set(), set()
    for (year, line, area), _ in places.most_common():
        if (year, line) not in lines and (year, area) not in areas:
            lines.add((year, line))
            areas.add((year, area))
            NumberLine.objects.create(year=year, area_id=area, line=line, last=last[year, line])


def keep_sounds(apps, schema_editor):
    Household = apps.get_model("households", "Household")
    for pk, name in Household.objects.values_list("pk", "householder"):
        Household.objects.filter(pk=pk).update(householder_sound=sound(name))


class Migration(migrations.Migration):
    dependencies = [("households", "0003_what_the_ledger_keeps")]
    operations = [
        migrations.RunPython(begin_after_the_last, migrations.RunPython.noop),
        migrations.RunPython(keep_sounds, migrations.RunPython.noop),
    ]
