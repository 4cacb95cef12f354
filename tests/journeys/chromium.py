"""One Chromium for all the tests of a process that look at pages: starting it takes longer than most of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

# Of several lists of features Chromium takes the last. So this one is Playwright's own, and the two suggestions below
# the address: for each new window a process would draw them, and nobody types one.
OFF = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
FLAGS.append(f"--disable-features={','.join(OFF)}")


class OneChromium:
    """Playwright keeps an event loop running in this thread, and with one nobody may use the database or start another.

    Between the tests that look at pages it is therefore taken away.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.playwright = sync_playwright().start()
        self.loop = asyncio.get_running_loop()
        self.browser = self._launch()
        asyncio._set_running_loop(None)

    def _launch(self) -> Browser:
        return self.playwright.chromium.launch(executable_path=self.path, args=FLAGS)

    @contextmanager
    def in_use(self) -> Iterator[Browser]:
        """With nothing open in it, before and after; a new one if it crashed."""
        asyncio._set_running_loop(self.loop)
        try:
            if not self.browser.is_connected():
                self.browser = self._launch()
            yield self.browser
            for context in self.browser.contexts:
                context.close()
        finally:
            asyncio._set_running_loop(None)

    def end(self) -> None:
        asyncio._set_running_loop(self.loop)
        self.browser.close()
        self.playwright.stop()
