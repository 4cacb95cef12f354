"""What was signed off stays as it is, whoever asks: answers, the signed bytes and the receipt.

Names of states stand in models.py; this file holds the moves between them.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

GUARD_FILING = """
CREATE FUNCTION guard_filing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'A filing is never deleted.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'A filing begins as a draft.' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.incident_id, NEW.form, NEW.form_version, NEW.authority, NEW.opened_by_id, NEW.opened_at)
       IS DISTINCT FROM
       (OLD.id, OLD.incident_id, OLD.form, OLD.form_version, OLD.authority, OLD.opened_by_id, OLD.opened_at) THEN
        RAISE EXCEPTION 'A filing keeps its incident, form and authority.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('draft', 'in_review'), ('in_review', 'draft'), ('in_review', 'signed_off'), ('signed_off', 'submitted')) THEN
        RAISE EXCEPTION 'A filing does not go from % to %.', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'signed_off' AND NOT EXISTS (SELECT FROM regulators_filingversion WHERE filing_id = NEW.id) THEN
        RAISE EXCEPTION 'A filing is signed off together with its content.' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state = 'submitted' AND NOT EXISTS (
        SELECT FROM regulators_receipt JOIN regulators_filingversion v ON v.id = filing_version_id
        WHERE v.filing_id = NEW.id) THEN
        RAISE EXCEPTION 'A filing is submitted when its receipt says so.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_filing BEFORE INSERT OR UPDATE OR DELETE ON regulators_filing
    FOR EACH ROW EXECUTE FUNCTION guard_filing();
"""

GUARD_ANSWER = """
CREATE FUNCTION guard_answer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_filing text;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'An answer is changed, never deleted.' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.filing_id, NEW.question) IS DISTINCT FROM (OLD.id, OLD.filing_id, OLD.question)
    THEN
        RAISE EXCEPTION 'An answer keeps its filing and question.' USING ERRCODE = 'check_violation';
    END IF;
    SELECT state INTO of_filing FROM regulators_filing WHERE id = NEW.filing_id FOR SHARE;
    IF of_filing <> 'draft' THEN
        RAISE EXCEPTION 'Only the answers of a draft can be changed.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_answer BEFORE INSERT OR UPDATE OR DELETE ON regulators_answer
    FOR EACH ROW EXECUTE FUNCTION guard_answer();
"""

GUARD_SIGNED = """
ALTER TABLE regulators_filingversion ADD CONSTRAINT digest_is_of_the_content CHECK (digest = sha256(content));
CREATE FUNCTION guard_signed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'What was signed off, and its receipt, never change: % on % is refused.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER guard_version_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON regulators_filingversion
    FOR EACH STATEMENT EXECUTE FUNCTION guard_signed();
CREATE TRIGGER guard_receipt_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON regulators_receipt
    FOR EACH STATEMENT EXECUTE FUNCTION guard_signed();
"""

GUARD_NEW_VERSION = """
CREATE FUNCTION guard_new_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE of_filing text;
BEGIN
    SELECT state INTO of_filing FROM regulators_filing WHERE id = NEW.filing_id FOR UPDATE;
    IF of_filing <> 'in_review' THEN
        RAISE EXCEPTION 'Only a filing that waits for sign-off can be signed off.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_new_version BEFORE INSERT ON regulators_filingversion
    FOR EACH ROW EXECUTE FUNCTION guard_new_version();
"""

UNDO = """
DROP TRIGGER guard_new_version ON regulators_filingversion;
DROP TRIGGER guard_receipt_stays ON regulators_receipt;
DROP TRIGGER guard_version_stays ON regulators_filingversion;
DROP TRIGGER guard_answer ON regulators_answer;
DROP TRIGGER guard_filing ON regulators_filing;
ALTER TABLE regulators_filingversion DROP CONSTRAINT digest_is_of_the_content;
DROP FUNCTION guard_new_version, guard_signed, guard_answer, guard_filing;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("regulators", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="filing",
            name="review_asked_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(model_name="filing", name="review_asked_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="answer", name="so_far", field=models.TextField(blank=True, max_length=1000)),
        migrations.AddField(model_name="answer", name="follows_facts", field=models.BooleanField(default=False)),
        migrations.AddConstraint(
            model_name="answer",
            constraint=models.CheckConstraint(
                condition=Q(promised_on=None) | Q(value__isnull=True), name="not_known_has_no_value"
            ),
        ),
        migrations.AddConstraint(
            model_name="answer",
            constraint=models.CheckConstraint(
                condition=Q(follows_facts=False) | Q(promised_on=None, value__isnull=True, so_far=""),
                name="facts_alone_answer",
            ),
        ),
        migrations.AddField(model_name="filingversion", name="sign_event", field=models.UUIDField()),
        migrations.AlterField(
            model_name="receipt",
            name="way",
            field=models.CharField(
                choices=[("online", "Online form"), ("email", "Email"), ("post", "Post"), ("phone", "Telephone")],
                max_length=40,
            ),
        ),
        migrations.AddField(model_name="receipt", name="file_name", field=models.CharField(blank=True, max_length=120)),
        migrations.AddField(model_name="receipt", name="file_sealed", field=models.BinaryField(null=True)),
        migrations.AddField(model_name="receipt", name="file_sha256", field=models.BinaryField(null=True)),
        migrations.RunSQL("".join([GUARD_FILING, GUARD_ANSWER, GUARD_SIGNED, GUARD_NEW_VERSION]), UNDO),
    ]
