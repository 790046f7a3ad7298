from django.db import migrations

# A register map gives stored values their meaning: once used, only reading it is left.
FORWARD = """
CREATE FUNCTION devices_used_map_is_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.used_since IS NOT NULL THEN
        RAISE EXCEPTION 'register map % is in use and cannot be changed', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER devices_used_map_is_fixed BEFORE UPDATE OR DELETE ON devices_registermap
    FOR EACH ROW EXECUTE FUNCTION devices_used_map_is_fixed();
"""
BACKWARD = """
DROP TRIGGER devices_used_map_is_fixed ON devices_registermap;
DROP FUNCTION devices_used_map_is_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("devices", "0002_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
