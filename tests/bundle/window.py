"""The page in the window of a program that runs elsewhere, looked at and clicked through the web
view's debugging port.

Not a test.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

PATIENCE = 120.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Page:
    """The page of ``process``, which was started with
    QTWEBENGINE_REMOTE_DEBUGGING=127.0.0.1:``port``.

    A QCoreApplication has to be there.
    """

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        # not above: a fast run, and the other systems, have no Qt
        from PySide6.QtCore import QEventLoop, QUrl
        from PySide6.QtWebSockets import QWebSocket

        self._process = process
        self._socket = QWebSocket()
        self._loop = QEventLoop()
        self._answers: dict[int, dict[str, Any]] = {}
        self._number = 0
        self._socket.textMessageReceived.connect(self._received)
        self._socket.connected.connect(self._loop.quit)
        self._socket.open(QUrl(self._address(port)))
        self._turn(PATIENCE)
        self.until("document.querySelector('#dcx-outlet > *') ? 1 : 0")

    def _address(self, port: int) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._process.communicate()[1]
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{port}/json/list", timeout=5
                ) as answer:
                    for each in json.load(answer):
                        if each["type"] == "page" and each["url"].startswith("http://127.0.0.1"):
                            return str(each["webSocketDebuggerUrl"])
            except OSError:
                pass
            time.sleep(0.3)
        raise AssertionError("the page did not come")

    def _received(self, text: str) -> None:
        answer = json.loads(text)
        if "id" in answer:
            self._answers[answer["id"]] = answer
            self._loop.quit()

    def _turn(self, seconds: float) -> None:
        from PySide6.QtCore import QTimer

        timer = QTimer(singleShot=True)
        timer.timeout.connect(self._loop.quit)
        timer.start(int(seconds * 1000))
        self._loop.exec()
        timer.stop()

    def js(self, code: str) -> Any:
        """The value of an expression in the page."""
        self._number += 1
        number = self._number
        asked = {
            "id": number,
            "method": "Runtime.evaluate",
            "params": {"expression": code, "returnByValue": True, "awaitPromise": True},
        }
        self._socket.sendTextMessage(json.dumps(asked))
        deadline = time.monotonic() + PATIENCE
        while number not in self._answers:
            assert time.monotonic() < deadline, f"the page did not answer: {code[:100]}"
            assert self._process.poll() is None, self._process.communicate()[1]
            self._turn(1)
        answer = self._answers.pop(number)
        assert "exceptionDetails" not in answer.get("result", {}), (code[:200], answer)
        return answer["result"]["result"].get("value")

    def until(self, condition: str | Callable[[], Any], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not (self.js(condition) if isinstance(condition, str) else condition()):
            if time.monotonic() > deadline:
                pytest.fail(f"it never came: {condition}\n{self.text()[:2000]}")
            time.sleep(0.2)

    def text(self, selector: str = "body") -> str:
        """What stands in an element; "" where there is none."""
        return str(self.js(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    def says(self, words: str, selector: str = "body", seconds: float = PATIENCE) -> None:
        self.until(lambda: words in self.text(selector), seconds)

    def click(self, selector: str) -> None:
        """As soon as it is there and may be clicked."""
        self.until(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)}); if (!one ||"
            " one.disabled) return 0; one.click(); return 1; })()"
        )

    def go(self, page: str) -> None:
        self.click(f".dcx-nav-link[href='/{page}']:not([data-disabled])")
        self.until(f"document.querySelector('#{page}-page') ? 1 : 0")

    def set(self, element: str, **properties: Any) -> None:
        self.js(f"dash_clientside.set_props({json.dumps(element)}, {json.dumps(properties)}); 1")
