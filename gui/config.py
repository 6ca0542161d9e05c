"""Config: what the user set in ``config.toml``, validated.

Every error is one sentence with the key and what is allowed.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, ValidationError, model_validator

from gui.errors import ConfigError
from gui.server_settings import Folder, Section, Server
from gui.server_settings import expanded as _expanded

APP_NAME = "DeconomiX GUI"
ENV_NAME = "DECONOMIX_GUI_CONFIG"
FILE_NAME = "config.toml"


class Compute(Section):
    """engine : "fast", or "stock", deconomix as published; workers : processes that compute at the
    same time; queue : steps of one session that may wait
    cores : over how many processes of its own a step spreads parts that are independent, 0: as many
        as this computer allows
    scheduler : address of a Dask scheduler that computes these parts instead, None: this computer
        does
    """

    engine: Literal["fast", "stock"] = "fast"
    workers: int = Field(default=1, ge=1, le=64)
    queue: int = Field(default=20, ge=1, le=1000)
    cores: int = Field(default=0, ge=0, le=1024)
    scheduler: str | None = None

    @model_validator(mode="after")
    def _scheduler_is_an_address(self) -> Self:
        if self.scheduler is not None and not _is_scheduler(self.scheduler):
            raise ValueError(
                f'scheduler in [compute] is "{self.scheduler[:60]}"; allowed: the address of a Dask'
                ' scheduler, such as "tcp://127.0.0.1:8786"'
            )
        return self


class Folders(Section):
    """Where the program keeps what it keeps. Use :attr:`Config.data_folder` and its sisters."""

    data: Folder = ""
    plugins: Folder = ""
    logs: Folder = ""


class Appearance(Section):
    """theme : colours of the program."""

    theme: Literal["system", "light", "dark"] = "system"


class Cleanup(Section):
    """What happens by itself, at start and daily, to sessions that were not used for long.

    Both limits count only if they are given.
    """

    enabled: bool = False
    max_sessions: int | None = Field(default=None, ge=1, le=1_000_000)
    max_age_days: float | None = Field(default=None, gt=0, le=36_500)
    action: Literal["archive", "delete"] = "archive"

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        # No default: a program that deletes by a number nobody chose would surprise.
        if self.enabled and self.max_sessions is None and self.max_age_days is None:
            raise ValueError(
                "enabled in [sessions.cleanup] is true, but neither max_sessions nor max_age_days"
                " is given; give at least one of them"
            )
        return self


class Sessions(Section):
    """enabled : False is the single-session mode; folder, archive : of the session files, see
    :attr:`Config.sessions_folder`
    most : sessions there may be, without those in the archive
    memory_mb : what sessions that nobody has open may keep in memory, in megabytes
    lock_after_minutes : idle time after which a protected session locks itself, 0 never; backups :
        keep the file as it was at the start
    """

    enabled: bool = True
    folder: Folder = ""
    archive: Folder = ""
    most: int = Field(default=1000, ge=1, le=1_000_000)
    memory_mb: int = Field(default=2000, ge=0, le=1_000_000)
    lock_after_minutes: float = Field(default=15, ge=0, le=10_080)
    backups: bool = True
    cleanup: Cleanup = Cleanup()


class Debug(Section):
    """log_cache : print every access to the sessions' content, without values."""

    log_cache: bool = False


class Config(Section):
    """All settings; ``Config()`` is the default."""

    compute: Compute = Compute()
    server: Server = Server()
    folders: Folders = Folders()
    appearance: Appearance = Appearance()
    sessions: Sessions = Sessions()
    debug: Debug = Debug()

    @model_validator(mode="after")
    def _archive_lies_apart(self) -> Self:
        if self.sessions_folder == self.archive_folder:
            raise ValueError(
                "archive in [sessions] is the folder of the active sessions too; allowed: another"
                " folder"
            )
        return self

    def for_window(self) -> Config:
        """The same for the native window: nobody else reaches it."""
        return self.model_copy(update={"server": self.server.local()})

    @property
    def data_folder(self) -> Path:
        """Sessions and other things the program keeps."""
        return (
            _expanded(self.folders.data)
            if self.folders.data
            else Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))
        )

    @property
    def plugins_folder(self) -> Path:
        """Where the user's plug-in files lie."""
        return (
            _expanded(self.folders.plugins)
            if self.folders.plugins
            else Path(platformdirs.user_data_dir(APP_NAME, appauthor=False)) / "plugins"
        )

    @property
    def logs_folder(self) -> Path:
        """Where the log is written."""
        return (
            _expanded(self.folders.logs)
            if self.folders.logs
            else Path(platformdirs.user_log_dir(APP_NAME, appauthor=False))
        )

    @property
    def sessions_folder(self) -> Path:
        """Where the files of the active sessions lie."""
        return (
            _expanded(self.sessions.folder)
            if self.sessions.folder
            else self.data_folder / "sessions"
        )

    @property
    def archive_folder(self) -> Path:
        """Where the files of the archived sessions lie."""
        return (
            _expanded(self.sessions.archive)
            if self.sessions.archive
            else self.data_folder / "archive"
        )

    @classmethod
    def for_tests(cls, folder: Path, *, first_run: bool = False) -> Config:
        """Defaults, with every folder inside ``folder`` (made if missing): touches nothing of the
        user's.

        first_run : the program welcomes whoever opens it, as at its very first start
        """
        names = ("data", "plugins", "logs")
        for name in names:
            (folder / name).mkdir(parents=True, exist_ok=True)
        if not first_run and not (folder / "data" / "settings.json").exists():
            (folder / "data" / "settings.json").write_text('{"tour_seen": true}', encoding="utf-8")
        return cls(folders=Folders(**{name: str((folder / name).resolve()) for name in names}))


def default_path() -> Path:
    """``config.toml`` in the user's configuration folder; it need not exist."""
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / FILE_NAME


def load_config(path: Path | str | None = None) -> Config:
    """The configuration from ``path``, else from the file DECONOMIX_GUI_CONFIG names, else from the
    user's configuration folder.

    Without a file in the user's folder: the defaults. ConfigError: a file that was named is
    missing, the file cannot be read, is no TOML, holds an unknown key or a wrong value.
    """
    named = path or os.environ.get(ENV_NAME) or None
    file = Path(named).expanduser() if named else default_path()
    try:
        text = file.read_bytes().decode("utf-8-sig")  # Windows editors put a mark at the beginning
    except FileNotFoundError:
        if named:
            raise ConfigError(
                f"The configuration file {file} does not exist.",
                advice="Correct the path, or leave it out to use the defaults.",
            ) from None
        return Config()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"The configuration file {file} is not UTF-8 text (line {line}).",
            advice="Save it as UTF-8.",
        ) from None
    except OSError as error:
        raise ConfigError(
            f"The configuration file {file} cannot be read:"
            f" {error.strerror or type(error).__name__}."
        ) from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"The configuration file {file} has a mistake in {_place(str(error), text)}.",
            advice=_ADVICE,
        ) from None
    return parse_config(values, name=str(file))


_ADVICE = (
    'Write text in quotes (theme = "dark"), Windows paths in single quotes, and nothing twice.'
)


def parse_config(values: Mapping[str, Any], *, name: str = FILE_NAME) -> Config:
    """The configuration from parsed TOML; ``name`` stands in the ConfigError."""
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        # Unknown keys first: a misspelt key is the likelier reason of whatever else is wrong.
        first = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")[0]
        own = first.get("ctx", {}).get("error")
        raise ConfigError(
            f"The configuration file {name}:"
            f" {_sentence(first['type'], first['loc'], first.get('input'), own)}"
        ) from None


def _sentence(kind: str, place: tuple[int | str, ...], value: Any, own: Exception | None) -> str:
    """One sentence: the key and what is allowed.

    ``own``: the error that a validator of ours raised.
    """
    model: type[Section] = Config
    path: list[str] = []
    rest = [str(part) for part in place]
    while rest and (inner := _sections(model).get(rest[0])):
        model = inner
        path.append(rest.pop(0))
    here = f"[{'.'.join(path)}]"
    if not rest:
        return (
            f"{own}."
            if own is not None
            else f"“{path[-1]}” must be a section with its own keys; write {here}."
        )
    key = rest[0]
    if kind != "extra_forbidden":
        return f"{key} in {here} is {_shown(value)}; allowed: {_allowed(model, key)}."
    sections = ", ".join(f"[{'.'.join([*path, name])}]" for name in _sections(model))
    if isinstance(value, dict) and sections:
        return f"unknown section [{'.'.join([*path, key])}]; allowed: {sections}."
    if not path:
        return f"unknown key “{key}” outside of a section; allowed: {sections}."
    return (
        f"unknown key “{key}” in {here}; allowed:"
        f" {', '.join(name for name in model.model_fields if name not in _sections(model))}."
    )


def _is_scheduler(address: str) -> bool:
    """``tcp://`` or ``tls://``, a name or an IP address, and a port."""
    try:
        parts = urlsplit(address)
        whole = parts.scheme in ("tcp", "tls") and bool(parts.hostname) and bool(parts.port)
    except ValueError:
        return False
    return (
        whole
        and not (parts.path or parts.query or parts.fragment or parts.username)
        and not any(c.isspace() for c in address)
    )


def _sections(model: type[Section]) -> dict[str, type[Section]]:
    """The sections inside a section, by key."""
    fields = {name: field.annotation for name, field in model.model_fields.items()}
    return {
        name: kind
        for name, kind in fields.items()
        if isinstance(kind, type) and issubclass(kind, Section)
    }


def _allowed(model: type[Section], key: str) -> str:
    """What a key accepts, in words."""
    field = model.model_fields[key]
    options = getattr(field.annotation, "__args__", ())
    if getattr(field.annotation, "__origin__", None) is Literal:
        return " or ".join(f'"{option}"' for option in options)
    kind = next((option for option in options if option is not type(None)), field.annotation)
    if kind is bool:
        return "true or false"
    if kind == list[Folder]:
        return "a list of absolute paths in quotes"
    if kind is str and not field.metadata:
        return "text in quotes"
    if kind is str:
        return 'an absolute path in quotes, or ""'
    words = {"ge": "from", "gt": "above", "le": "to"}
    limits = [
        f"{word} {getattr(m, name)}"
        for name, word in words.items()
        for m in field.metadata
        if hasattr(m, name)
    ]
    return " ".join(["a whole number" if kind is int else "a number", *limits])


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
