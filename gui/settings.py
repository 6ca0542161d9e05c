"""What the program remembers between two starts, beside the sessions: window, zoom, colours, recent
files.

Kept on the server's side, because the web view forgets what a page keeps (every start has another
port).
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gui import atomic

log = logging.getLogger(__name__)

FILE_NAME = "settings.json"
LARGEST = 1_000_000
"""Bytes: a larger file is not ours."""
RECENT = 12
"""Files that are remembered."""


Theme = Literal["light", "dark", "system"]


class Window(BaseModel):
    """Size and place in pixels of the screen; x and y None: where the system puts it."""

    model_config = ConfigDict(frozen=True)

    width: int = Field(ge=200, le=20_000)
    height: int = Field(ge=200, le=20_000)
    x: int | None = Field(default=None, ge=-50_000, le=50_000)
    y: int | None = Field(default=None, ge=-50_000, le=50_000)
    maximized: bool = False


class FigureExport(BaseModel):
    """What was chosen last in the dialog that saves figures.

    width, height : in mm, None: as large as needed; font : in points; dpi : of a picture
    """

    model_config = ConfigDict(frozen=True)

    format: Literal["png", "svg", "pdf"] = "png"
    width: float | None = Field(default=85, ge=30, le=1000)
    height: float | None = Field(default=None, ge=20, le=1000)
    font: float = Field(default=8, ge=4, le=30)
    dpi: int = Field(default=300, ge=72, le=1200)
    colours: Literal["screen", "print", "grey"] = "screen"
    legend: bool = True
    titled: bool = False


class Settings(BaseModel):
    """theme : None is the one of the configuration; zoom : factor; recent : absolute paths, the
    newest first; folders : kind of file -> folder used last
    figure : how figures were saved last
    tour_seen : whether the welcome of the very first start was answered; software : version of the
    program whose page came up without the graphics
        card only
    """

    model_config = ConfigDict(frozen=True)

    theme: Theme | None = None
    window: Window | None = None
    zoom: float = Field(default=1.0, ge=0.5, le=3.0)
    recent: tuple[str, ...] = ()
    folders: dict[str, str] = Field(default_factory=dict)
    tour_seen: bool = False
    software: str = ""
    figure: FigureExport = Field(default_factory=FigureExport)


class SettingsStore:
    """The settings in ``path``.

    Thread-safe. A file that cannot be read counts as far as it can; one that cannot be written
    costs the memory only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._settings = _read(path)

    def get(self) -> Settings:
        with self._lock:
            return self._settings

    def change(self, **values: Any) -> Settings:
        """Set some of the values. ValidationError if one is not allowed; then nothing changes."""
        with self._lock:
            changed = Settings.model_validate({**self._settings.model_dump(), **values})
            if changed != self._settings:
                self._settings = changed
                self._write()
            return changed

    def remember(self, path: Path) -> None:
        """A file that was opened or saved becomes the first of the recent ones."""
        name = str(path)
        with self._lock:
            recent = (name, *(other for other in self._settings.recent if other != name))[:RECENT]
            if recent != self._settings.recent:
                self._settings = self._settings.model_copy(update={"recent": recent})
                self._write()

    def _write(self) -> None:
        try:
            atomic.private_folder(self._path.parent)
            with atomic.replacing(self._path) as file:
                # names that are no text are escaped
                file.write(json.dumps(self._settings.model_dump(), indent=1).encode())
        except (OSError, ValueError) as error:
            log.warning("settings are not kept: %s", type(error).__name__)


def _read(path: Path) -> Settings:
    """Every value that is there and allowed, the default for the others."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("too large")
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        log.warning("settings cannot be read: %s", type(error).__name__)
        return Settings()
    good: dict[str, Any] = {}
    for name in Settings.model_fields:
        if isinstance(found, dict) and name in found:
            try:
                good |= {name: getattr(Settings.model_validate({name: found[name]}), name)}
            except ValidationError:
                log.warning("setting %s is not kept: it is not allowed", name)
    return Settings(**good)
