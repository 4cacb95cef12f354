import pytest
from django.core.cache import cache

from tests.factories import make_organisation, make_user


@pytest.fixture
def signed_in(client):
    """signed_in("dpo") is a browser in which somebody with that role has signed in."""

    def sign_in(*roles):
        client.user = make_user(*roles)
        client.force_login(client.user)
        return client

    return sign_in


@pytest.fixture
def organisation(db):
    return make_organisation()


@pytest.fixture
def forgotten_pulses(db):
    cache.clear()
