"""A colleague at a browser: signs in and presses buttons over HTTP, and notes how the web server answered."""

import re
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from http.cookiejar import CookieJar

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
VERSION = re.compile(r'name="version" value="(\d+)"')
PASSWORD = "a long enough pass phrase"
NO_ANSWER = 0


class Colleague:
    def __init__(self, address: str, email: str) -> None:
        self.address, self.email = address, email
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self.answers: Counter[int] = Counter()

    def sign_in(self) -> bool:
        self._post("/sign-in/", {"login": self.email, "password": PASSWORD})
        status, text = self._open("/")
        return status == 200 and 'name="login"' not in text

    def press(self, page: str, seen_on: str = "", **words: str) -> int:
        """The button of a page that asks once more: what the page holds is sent along. The status; 0 for no answer.

        `seen_on` is the page with the button, where that is another.
        """
        status = self._post(page, {"reason": "The campaign asks for it.", **words}, seen_on)
        self.answers[status] += 1
        return status

    def _post(self, page: str, words: dict[str, str], seen_on: str = "") -> int:
        status, text = self._open(seen_on or page)
        token, version = TOKEN.search(text), VERSION.search(text)
        if status >= 400 or not token:
            return status
        fields = {"csrfmiddlewaretoken": token[1], **({"version": version[1]} if version else {}), **words}
        return self._open(page, urllib.parse.urlencode(fields).encode())[0]

    def _open(self, page: str, body: bytes | None = None) -> tuple[int, str]:
        request = urllib.request.Request(self.address + page, body, {"Referer": self.address + page})
        try:
            with self.opener.open(request, timeout=20) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return NO_ANSWER, ""
