"""Config: what the user set in ``config.toml``, validated. Every error is one sentence with the key and what is allowed."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gui.errors import ConfigError

APP_NAME = "DeconomiX GUI"
ENV_NAME = "DECONOMIX_GUI_CONFIG"
FILE_NAME = "config.toml"


class Section(BaseModel):
    """A section of the file. Strict: "2" is not a number, 1 is not yes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Compute(Section):
    """engine : "stock", deconomix as published; workers : processes that compute at the same time."""

    engine: Literal["stock"] = "stock"
    workers: int = Field(default=1, ge=1, le=64)


class Server(Section):
    """port : on this computer, 0 = any free one; upload_limit_mb : largest file a browser may send, in megabytes."""

    port: int = Field(default=0, ge=0, le=65535)
    upload_limit_mb: int = Field(default=4096, ge=1, le=1_000_000)


class Folders(Section):
    """Absolute paths as the user wrote them, "" for the system's usual place. Use :attr:`Config.data_folder` and its sisters."""

    data: str = ""
    plugins: str = ""
    logs: str = ""

    @field_validator("*")
    @classmethod
    def _absolute(cls, value: str) -> str:
        # A relative path would mean another folder with every way of starting the program.
        if value and not _expanded(value).is_absolute():
            raise ValueError("not absolute")
        return value


class Appearance(Section):
    """theme : colours of the program."""

    theme: Literal["system", "light", "dark"] = "system"


class Config(Section):
    """All settings; ``Config()`` is the default."""

    compute: Compute = Compute()
    server: Server = Server()
    folders: Folders = Folders()
    appearance: Appearance = Appearance()

    @property
    def data_folder(self) -> Path:
        """Sessions and other things the program keeps."""
        return _expanded(self.folders.data) if self.folders.data else Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))

    @property
    def plugins_folder(self) -> Path:
        """Where the user's plug-in files lie."""
        return _expanded(self.folders.plugins) if self.folders.plugins else Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)) / "plugins"

    @property
    def logs_folder(self) -> Path:
        """Where the log is written."""
        return _expanded(self.folders.logs) if self.folders.logs else Path(platformdirs.user_log_dir(APP_NAME, appauthor=False))

    @classmethod
    def for_tests(cls, folder: Path) -> Config:
        """Defaults, with every folder inside ``folder`` (made if missing): touches nothing of the user's."""
        names = ("data", "plugins", "logs")
        for name in names:
            (folder / name).mkdir(parents=True, exist_ok=True)
        return cls(folders=Folders(**{name: str((folder / name).resolve()) for name in names}))


def default_path() -> Path:
    """``config.toml`` in the user's configuration folder; it need not exist."""
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / FILE_NAME


def load_config(path: Path | str | None = None) -> Config:
    """The configuration from ``path``, else from the file DECONOMIX_GUI_CONFIG names, else from the user's configuration folder.

    Without a file in the user's folder: the defaults. ConfigError: a file that was named is missing, the file cannot be read, is no
    TOML, holds an unknown key or a wrong value.
    """
    named = path or os.environ.get(ENV_NAME) or None
    file = Path(named).expanduser() if named else default_path()
    try:
        text = file.read_bytes().decode("utf-8-sig")  # Windows editors put a mark at the beginning
    except FileNotFoundError:
        if named:
            raise ConfigError(f"The configuration file {file} does not exist.", advice="Correct the path, or leave it out to use the defaults.") from None
        return Config()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"The configuration file {file} is not UTF-8 text (line {line}).", advice="Save it as UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"The configuration file {file} cannot be read: {error.strerror or type(error).__name__}.") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"The configuration file {file} has a mistake in {_place(str(error), text)}.", advice=_ADVICE) from None
    return parse_config(values, name=str(file))


_ADVICE = 'Write text in quotes (theme = "dark"), Windows paths in single quotes, and nothing twice.'


def parse_config(values: Mapping[str, Any], *, name: str = FILE_NAME) -> Config:
    """The configuration from parsed TOML; ``name`` stands in the ConfigError."""
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        # Unknown keys first: a misspelt key is the likelier reason of whatever else is wrong.
        first = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")[0]
        raise ConfigError(f"The configuration file {name}: {_sentence(first['type'], first['loc'], first.get('input'))}") from None


def _sentence(kind: str, place: tuple[int | str, ...], value: Any) -> str:
    """One sentence: the key and what is allowed."""
    section = str(place[0])
    if len(place) == 1:
        sections = ", ".join(f"[{name}]" for name in Config.model_fields)
        if kind == "extra_forbidden":
            shown = f"section [{section}]" if isinstance(value, dict) else f"key “{section}” outside of a section"
            return f"unknown {shown}; allowed: {sections}."
        return f"“{section}” must be a section with its own keys; write [{section}]."
    key, model = str(place[1]), Config.model_fields[section].annotation
    assert isinstance(model, type)
    assert issubclass(model, Section)
    if kind == "extra_forbidden":
        return f"unknown key “{key}” in [{section}]; allowed: {', '.join(model.model_fields)}."
    return f"{key} in [{section}] is {_shown(value)}; allowed: {_allowed(model, key)}."


def _allowed(model: type[Section], key: str) -> str:
    """What a key accepts, in words."""
    if model is Folders:
        return 'an absolute path in quotes, or ""'
    field = model.model_fields[key]
    options = getattr(field.annotation, "__args__", ())
    if options:
        return " or ".join(f'"{option}"' for option in options)
    low, high = (next(getattr(m, name) for m in field.metadata if hasattr(m, name)) for name in ("ge", "le"))
    return f"a whole number from {low} to {high}"


def _shown(value: Any) -> str:
    """A value as TOML would write it, cut short."""
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _place(message: str, text: str) -> str:
    """``line 3`` from the message of tomllib, which also says "at end of document"."""
    found = re.search(r"line (\d+)", message)
    return f"line {found.group(1) if found else max(1, len(text.splitlines()))}"


def _expanded(folder: str) -> Path:
    return Path(folder).expanduser()
