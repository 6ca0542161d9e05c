"""What the program remembers from one start to the next by itself, in ``settings.json`` in the data folder. What the user sets is in config.toml."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from gui.sessions.atomic import private_folder, replacing

log = logging.getLogger(__name__)
FILE_NAME = "settings.json"
LARGEST = 1_000_000
"""Bytes: a larger file is not ours."""


class Settings(BaseModel):
    """tour_seen : the welcome of the very first start was answered."""

    model_config = ConfigDict(frozen=True, extra="ignore")  # a newer version's file may know more

    tour_seen: bool = False


class SettingsStore:
    """The settings in one file. Thread-safe. A missing or damaged file means the defaults: nothing here is worth stopping for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._settings = self._read()

    def get(self) -> Settings:
        with self._lock:
            return self._settings

    def change(self, **values: Any) -> Settings:
        """Change some and write all, replacing the file whole. ValidationError for a wrong value; a file that cannot be written is logged only."""
        with self._lock:
            self._settings = Settings.model_validate({**self._settings.model_dump(), **values})
            try:
                private_folder(self._path.parent)
                with replacing(self._path) as file:
                    file.write(self._settings.model_dump_json(indent=1).encode())
            except OSError as error:
                log.warning("the settings could not be written: %s", type(error).__name__)
            return self._settings

    def _read(self) -> Settings:
        try:
            if self._path.stat().st_size <= LARGEST:
                return Settings.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            pass
        except (OSError, ValidationError) as error:
            log.warning("the settings could not be read, the defaults are used: %s", type(error).__name__)
        return Settings()
