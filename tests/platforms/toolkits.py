"""Stand-ins for pywebview's windows on macOS and Windows, as read in pywebview 6.2.1
(``platforms/cocoa.py``, ``platforms/winforms.py``); events are pywebview's own.

What they do that Qt's window does not:

- macOS: ``native`` is an NSWindow, which has no ``.webview``; ``destroy`` closes without asking
  ``closing``; an application that may terminate ends the process on the spot; an empty list of file
  types raises; positions are counted from the screen with the focus, but not taken off it again.
- Windows: the event ``minimized`` is never cleared; ``restore`` makes a maximised window ordinary.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from webview.event import Event, EventContainer

EVENTS = ("closed", "loaded", "shown", "minimized", "maximized", "restored", "resized", "moved")


class ProcessEnded(BaseException):
    """AppKit's ``terminate:`` has called ``exit``."""


def events(window: Any) -> Any:
    made = EventContainer()
    for name in EVENTS:
        setattr(made, name, Event(window))
    made.closing = Event(window, True)
    return made


class Window:
    """pywebview's Window, as far as both systems are alike."""

    def __init__(self) -> None:
        self.events = events(self)
        self.native: Any = None
        self.ran: list[str] = []
        self.shows = 0
        self.localization: dict[str, str] = {}

    def run_js(self, code: str) -> int:
        self.ran.append(code)
        return 1

    def show(self) -> None:
        self.shows += 1


# -- macOS
# --------------------------------------------------------------------------------------------------
class WebView:
    """WKWebView: which methods its delegate has it looks up when that is set."""

    def __init__(self) -> None:
        self.factor = 1.0
        self._delegate: Any = None
        self._reports = False
        self.setNavigationDelegate_(type("BrowserDelegate", (), {})())

    def setPageZoom_(self, factor: float) -> None:
        self.factor = factor

    def navigationDelegate(self) -> Any:
        return self._delegate

    def setNavigationDelegate_(self, delegate: Any) -> None:
        self._delegate = delegate
        self._reports = hasattr(delegate, "webViewWebContentProcessDidTerminate_")

    def end_process(self) -> None:
        if self._reports:
            self._delegate.webViewWebContentProcessDidTerminate_(self)


class NSWindow:
    def __init__(self, window: CocoaWindow) -> None:
        self._window, self.view, self.miniature = window, WebView(), False

    def contentView(self) -> WebView:
        return self.view

    def isMiniaturized(self) -> bool:
        return self.miniature

    def close(self) -> None:
        self._window.events.closed.set()

    def performClose_(self, _sender: object) -> None:
        if not self._window.events.closing.set():
            self.close()


class CocoaWindow(Window):
    def __init__(self) -> None:
        super().__init__()
        self.native = NSWindow(self)
        self.restored = 0

    def destroy(self) -> None:
        self.native.close()

    def restore(self) -> None:
        self.restored += 1
        self.native.miniature = False

    def minimize(self) -> None:
        self.native.miniature = True
        self.events.minimized.set()


class Application:
    """NSApplication."""

    def __init__(self, delegate: Any = None) -> None:
        self.delegate = delegate
        self.sent: list[str] = []

    def terminate_(self, _sender: object) -> None:
        """Cmd+Q, Quit in the Dock, log-out."""
        if self.delegate.applicationShouldTerminate_(self):
            raise ProcessEnded

    def sendAction_to_from_(self, selector: str, to: object, _sender: object) -> None:
        assert to is None
        self.sent.append(selector)


class ObjC:
    """PyObjC: a class gets functions as methods, in place of its own."""

    @staticmethod
    def selector(function: Any, *, selector: bytes, signature: bytes) -> Any:
        return SimpleNamespace(function=function, selector=selector, signature=signature)

    @staticmethod
    def classAddMethods(owner: type, methods: list[Any]) -> None:
        for method in methods:
            name = method.selector.decode()
            arguments = method.function.__code__.co_argcount
            assert name.count(":") == arguments - 1, name
            assert method.signature.endswith(b"@:" + b"@" * (arguments - 1)), method.signature
            setattr(owner, name.replace(":", "_"), method.function)


class MenuBar:
    def __init__(self) -> None:
        self.titles: list[str] = []

    def insertItem_atIndex_(self, title: str, index: int) -> None:
        self.titles.insert(index, title)

    def addItem_(self, title: str) -> None:
        self.titles.append(title)


def browser_view(window: Any = None) -> Any:
    """pywebview's class ``BrowserView`` of macOS, a new one each time."""

    class BrowserView:
        class AppDelegate:
            def applicationShouldTerminate_(self, _application: Any) -> bool:
                return not (window and window.events.closing.set())

        def _recreate_menus(self, menus: Any) -> MenuBar:
            bar = MenuBar()
            bar.insertItem_atIndex_("DeconomiX", 0)
            self._add_view_menu(bar)
            self._add_edit_menu(bar)
            self._add_custom_menu(bar, menus)
            return bar

        def _add_view_menu(self, bar: Any) -> None:
            bar.insertItem_atIndex_("View", 1)

        def _add_edit_menu(self, bar: Any) -> None:
            bar.insertItem_atIndex_("Edit", 1)

        def _add_custom_menu(self, bar: Any, menus: Any) -> None:
            for menu in menus or ():
                bar.addItem_(menu.title)

    return BrowserView


def open_panel_types(file_types: tuple[str, ...]) -> list[list[str]]:
    """What the open dialog of macOS is set to, one filter after the other; raises as it does."""
    from webview.util import parse_file_type

    chosen = []
    for text in file_types:
        _, extensions = parse_file_type(text)
        types = [part.lstrip("*.") for part in extensions.split(";") if part != "*.*"]
        if not types:
            raise ValueError("NSInvalidArgumentException: allowedFileTypes is empty")
        chosen.append(types)
    return chosen


class NSScreen:
    """``area`` : x, y from the lower left of the main screen, width, height; ``bars`` : pixels that
    menu bar and Dock take of it, above and below.
    """

    def __init__(self, area: tuple[int, int, int, int], bars: tuple[int, int] = (0, 0)) -> None:
        self.area, self.bars = area, bars

    def frame(self) -> Any:
        return rectangle(*self.area)

    def visibleFrame(self) -> Any:
        x, y, width, height = self.area
        above, below = self.bars
        return rectangle(x, y + below, width, height - above - below)


def rectangle(x: float, y: float, width: float, height: float) -> Any:
    return SimpleNamespace(
        origin=SimpleNamespace(x=x, y=y), size=SimpleNamespace(width=width, height=height)
    )


class Placement:
    """Opening a window at a place, and asking where it is, as pywebview does with the frame of a
    screen.
    """

    def __init__(self, screen: Any) -> None:
        self.screen = screen
        self.top_left = (0.0, 0.0)

    def move(self, x: int, y: int) -> None:
        origin, height = self.screen.origin, self.screen.size.height
        self.top_left = (origin.x + x, origin.y + height - y)

    def position(self) -> tuple[int, int]:
        x, top = self.top_left
        return int(x), int(self.screen.size.height - top)


# -- Windows
# --------------------------------------------------------------------------------------------------
class DotNetEvent:
    def __init__(self) -> None:
        self.handlers: list[Callable[[Any, Any], None]] = []

    def __iadd__(self, handler: Callable[[Any, Any], None]) -> DotNetEvent:
        self.handlers.append(handler)
        return self

    def fire(self, sender: Any, event: Any = None) -> None:
        for handler in self.handlers:
            handler(sender, event)


class CoreWebView2:
    def __init__(self) -> None:
        self.Settings = SimpleNamespace(IsReputationCheckingRequired=True)
        self.ProcessFailed = DotNetEvent()
        self.called: list[tuple[str, str]] = []

    def CallDevToolsProtocolMethodAsync(self, name: str, parameters: str) -> None:
        self.called.append((name, parameters))

    def end_process(self, kind: str) -> None:
        name = f"CoreWebView2ProcessFailedKind.{kind}"
        self.ProcessFailed.fire(self, SimpleNamespace(ProcessFailedKind=name))


class Form:
    """BrowserForm. ``ready`` : its web view has been made"""

    def __init__(self, window: WinFormsWindow, *, ready: bool = True) -> None:
        self._window = window
        self.state = "Normal"
        self._before = "Normal"
        self.Handle = SimpleNamespace(ToInt64=lambda: 4711)
        view = SimpleNamespace(
            ZoomFactor=1.0,
            CoreWebView2=CoreWebView2() if ready else None,
            CoreWebView2InitializationCompleted=DotNetEvent(),
        )
        self.browser = SimpleNamespace(webview=view)

    def Invoke(self, act: Callable[[], None]) -> None:
        act()

    def Close(self) -> None:
        if not self._window.events.closing.set():
            self._window.events.closed.set()

    def make_ready(self) -> CoreWebView2:
        view = self.browser.webview
        view.CoreWebView2 = CoreWebView2()
        view.CoreWebView2InitializationCompleted.fire(view)
        made: CoreWebView2 = view.CoreWebView2
        return made

    # the user
    def maximize(self) -> None:
        self.state = "Maximized"
        self._window.events.maximized.set()

    def minimize(self) -> None:
        self._before, self.state = self.state, "Minimized"
        self._window.events.minimized.set()

    # user32
    def IsIconic(self, handle: int) -> bool:
        assert handle == 4711
        return self.state == "Minimized"

    def ShowWindow(self, handle: int, command: int) -> None:
        assert (handle, command) == (4711, 9)
        self.state = self._before


class WinFormsWindow(Window):
    def __init__(self, *, ready: bool = True) -> None:
        super().__init__()
        self.native = Form(self, ready=ready)

    def destroy(self) -> None:
        self.native.Close()

    def restore(self) -> None:
        self.native.state = "Normal"
        self.events.restored.set()
