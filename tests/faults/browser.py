"""A browser without a window: it signs in, keeps its cookies, and sends forms as they stand on a page."""

import http.client
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit


class Form(HTMLParser):
    """What a browser would send of a page's form for `action`: hidden fields, chosen options, and nothing typed."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._action, self._inside, self._select = action, False, ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attributes}
        if tag == "form":
            self._inside = said.get("action", self._action) == self._action and said.get("method") == "post"
        elif self._inside and tag == "select":
            self._select = said["name"]
            self.fields.append((self._select, ""))
        elif self._inside and tag == "option" and "selected" in said:
            self.fields = [one for one in self.fields if one[0] != self._select] + [(self._select, said["value"])]
        elif self._inside and tag == "textarea":
            self.fields.append((said["name"], "As the carrier said."))
        elif self._inside and tag == "input" and _is_sent(said):
            self.fields.append((said["name"], said.get("value", "on")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def _is_sent(said: dict[str, str]) -> bool:
    if said.get("type") in ("radio", "checkbox"):
        return "checked" in said
    return bool(said.get("name")) and said.get("type") not in ("submit", "file", "search")


class Browser:
    def __init__(self, address: str) -> None:
        self.host, self.cookies = urlsplit(address).netloc, SimpleCookie[str]()
        self.address = address

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.host, timeout=600)
        sent = {"Cookie": "; ".join(f"{name}={one.value}" for name, one in self.cookies.items())}
        connection.request(method, path, body, sent | {"Referer": f"{self.address}/"} | (headers or {}))
        answer = connection.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(cookie)
        page = answer.read().decode()
        connection.close()
        return (answer.status, page) if answer.status != 302 else (302, answer.headers["Location"])

    def get(self, path: str) -> str:
        status, page = self.ask("GET", path)
        assert status == 200, f"{path} answered {status}"
        return page

    def send(self, path: str, fields: list[tuple[str, str]]) -> tuple[int, str]:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode(fields), kind)

    def sign_in(self, email: str, password: str) -> None:
        form = Form(self.get("/sign-in/"), "/sign-in/")
        typed = [one for one in form.fields if one[0] not in ("login", "password")]
        status, _ = self.send("/sign-in/", [*typed, ("login", email), ("password", password)])
        assert status == 302, f"signing in answered {status}"
