"""What every page has in common."""

import pytest
from django.urls import reverse

from breachdesk.accounts.models import User
from tests.factories import make_incident, unguarded

pytestmark = pytest.mark.django_db


def test_the_theme_comes_from_the_cookie_and_nothing_else_does(signed_in):
    client = signed_in("dpo")
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get(reverse("home")).content.decode()
    client.cookies["theme"] = '"><script>'
    assert "data-theme=" not in client.get(reverse("home")).content.decode()


def test_no_page_carries_a_script_or_style_of_its_own(signed_in):
    incident = make_incident()
    client = signed_in("dpo")
    for address in (reverse("home"), incident.get_absolute_url(), reverse("trail"), reverse("incident-list")):
        page = client.get(address).content.decode()
        assert "style=" not in page
        assert "<style" not in page
        assert "<script>" not in page
        assert "onclick" not in page


def test_pages_run_under_the_strict_policy(signed_in):
    policy = signed_in("dpo").get(reverse("home"))["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_signed_in_pages_are_kept_by_nobody(signed_in):
    assert signed_in("dpo").get(reverse("home"))["Cache-Control"] == "no-store"


def test_the_navigation_shows_what_the_role_may_open(signed_in):
    page = signed_in("administrator").get(reverse("home")).content.decode()
    assert reverse("staff") in page
    assert f'href="{reverse("trail")}"' not in page


def test_times_are_in_the_readers_zone(signed_in):
    client = signed_in("dpo")
    with unguarded():
        User.objects.filter(pk=client.user.pk).update(zone="Asia/Tokyo")
    assert "All times are Tokyo time (JST, UTC+9)" in client.get(reverse("home")).content.decode()
