import pytest
from django.conf import settings

from breachdesk.embedded.catcher_store import CatcherStore
from tests.factories import make_user

MESSAGE = (
    b"From: Halden & Rowe <privacy@halden.example>\r\nTo: ana@example.com\r\nSubject: About your data\r\n"
    b"Message-ID: <1@halden.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>Hello Ana</p><script>alert(1)</script>\r\n"
)


@pytest.fixture
def _one_message():
    store = CatcherStore(settings.BREACHDESK.catcher_dir, keep_all=True)
    store.add([b"ana@example.com"], MESSAGE, 1_758_000_000.0)
    store.close()
    yield
    for path in settings.BREACHDESK.catcher_dir.iterdir():
        path.unlink()


@pytest.fixture
def colleague(db, client):
    client.force_login(make_user("responder"))
    return client


@pytest.mark.usefixtures("_one_message")
def test_caught_mail_is_listed_with_its_counts(colleague):
    page = colleague.get("/catcher/").content.decode()
    assert "About your data" in page
    assert "ana@example.com" in page
    assert "1 e-mail caught, none sent on" in page


def test_an_empty_catcher_says_so(colleague):
    assert "Nothing caught yet" in colleague.get("/catcher/").content.decode()


@pytest.mark.usefixtures("_one_message")
def test_a_message_is_shown_in_a_frame_that_can_do_nothing(colleague):
    assert '<iframe src="/catcher/1/body/"' in colleague.get("/catcher/1/").content.decode()
    body = colleague.get("/catcher/1/body/")
    assert "Hello Ana" in body.content.decode()
    assert body["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.usefixtures("_one_message")
@pytest.mark.parametrize("path", ["/catcher/0/", "/catcher/2/", "/catcher/2/body/"])
def test_a_message_that_is_not_there_is_not_found(colleague, path):
    assert colleague.get(path).status_code == 404


@pytest.mark.usefixtures("_one_message")
def test_strangers_and_other_machines_see_nothing(client, colleague):
    assert colleague.get("/catcher/", REMOTE_ADDR="192.0.2.1").status_code == 404
    client.logout()
    assert client.get("/catcher/").status_code == 302
