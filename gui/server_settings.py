"""[server] of the configuration: who may reach the program, over which address, how much at once,
and which files of this computer it may name.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gui.errors import UnreadableFile

LOOPBACK = "127.0.0.1"
MANY = 10_000
"""Files in a folder that is looked through for links that lead out of it."""


class Section(BaseModel):
    """A section of the file. Strict: "2" is not a number, 1 is not yes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def expanded(folder: str) -> Path:
    """The path, ``~`` replaced by the user's home."""
    return Path(folder).expanduser()


def local_path(text: str, *, windows: bool = sys.platform == "win32") -> str:
    """The path that a ``file:`` address stands for (file managers copy such); other text as it is.

    ``file:///C:/a%20b.csv`` is ``C:/a b.csv`` on Windows, ``file://server/share`` is
    ``//server/share`` there.
    """
    if not text.lower().startswith("file://"):
        return text
    host, slash, path = unquote(text[len("file://") :]).partition("/")
    if host.lower() == "localhost":
        host = ""
    if not windows:
        return f"{host}{slash}{path}"
    if host:
        # file://C:/a is not right, and is met all the same
        return f"{host}/{path}" if host.endswith(":") else f"//{host}/{path}"
    return path if path[1:2] == ":" else f"/{path}"


def _absolute(value: str) -> str:
    # A relative path would mean another folder with every way of starting the program.
    try:
        if value and not expanded(value).is_absolute():
            raise ValueError("not absolute")
    except RuntimeError:  # the home of a user that is not there
        raise ValueError("not absolute") from None
    return value


Folder = Annotated[str, AfterValidator(_absolute)]
"""An absolute path as the user wrote it, "" for the usual place; the properties of
:class:`gui.config.Config` say which folder that is.
"""


class Server(Section):
    """host : the address to listen on; port : 0 = any free one; allow_remote, public_url,
    trusted_proxy : behind a reverse proxy only, all three
    import_folders : below which files of this computer may be named by their path; None: anywhere,
        but nowhere with allow_remote
    upload_limit_mb, request_limit_mb : largest file, and largest figure to be saved, in megabytes
        (see gui/request_limits.py for all other requests)
    upload_quota_mb, upload_total_mb : what the files that one browser sent, and those of all, may
        take on the disk until they are loaded
    header_limit_kb : all header lines of a request
    connections : at once; timeout_s : seconds without a byte after which a connection is closed
    """

    host: str = LOOPBACK
    port: int = Field(default=0, ge=0, le=65535)
    allow_remote: bool = False
    public_url: str = ""
    trusted_proxy: str = ""
    import_folders: list[Folder] | None = None
    upload_limit_mb: int = Field(default=4096, ge=1, le=1_000_000)
    upload_quota_mb: int = Field(default=16_000, ge=1, le=10_000_000)
    upload_total_mb: int = Field(default=64_000, ge=1, le=100_000_000)
    request_limit_mb: int = Field(default=100, ge=1, le=10_000)
    header_limit_kb: int = Field(default=64, ge=8, le=1024)
    connections: int = Field(default=1000, ge=50, le=100_000)
    timeout_s: int = Field(default=60, ge=5, le=3600)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        host, proxy = _address(self.host), _address(self.trusted_proxy)
        if host is None:
            raise ValueError(
                f'host in [server] is "{self.host[:60]}"; allowed: the IP address of this computer'
                ' to listen on, such as "127.0.0.1"'
            )
        if not self.allow_remote:
            needs = "allow_remote is false; set it to true, with public_url and trusted_proxy"
            if not host.is_loopback:
                raise ValueError(
                    f'host in [server] is "{self.host}", which other computers reach, but {needs},'
                    " or leave host out"
                )
            for name in ("public_url", "trusted_proxy"):
                if getattr(self, name):
                    raise ValueError(
                        f"{name} in [server] is given, but {needs}, or leave {name} out"
                    )
            return self
        for name, example in (
            ("public_url", "https://deconomix.example.org"),
            ("trusted_proxy", "127.0.0.1"),
        ):
            if not getattr(self, name):
                raise ValueError(
                    f"allow_remote in [server] is true, but {name} is missing; give it, such as"
                    f' "{example}"'
                )
        if not _is_origin(self.public_url):
            raise ValueError(
                f'public_url in [server] is "{self.public_url[:60]}"; allowed: https:// (or'
                " http://) and a name, without a path"
            )
        if proxy is None:
            raise ValueError(
                f'trusted_proxy in [server] is "{self.trusted_proxy[:60]}"; allowed: one IP'
                ' address, such as "127.0.0.1"'
            )
        if "" in (self.import_folders or []):
            raise ValueError('import_folders in [server] holds ""; allowed: absolute paths')
        return self

    @property
    def origin(self) -> str:
        """``https://name[:port]`` of :attr:`public_url` as a browser writes it, or ""."""
        return self.public_url.rstrip("/").lower()

    def local(self) -> Server:
        """The same for the window, which nobody else reaches and in which the user may open every
        file.
        """
        free = {
            "host": LOOPBACK,
            "allow_remote": False,
            "public_url": "",
            "trusted_proxy": "",
            "import_folders": None,
        }
        return self.model_copy(update=free)

    @property
    def folders(self) -> list[Path] | None:
        """Below which files may be named, links resolved; None: anywhere."""
        if self.import_folders is None:
            return [] if self.allow_remote else None
        return [expanded(folder).resolve() for folder in self.import_folders if folder]

    def typed_path(self, text: str) -> Path:
        """A file or folder of this computer that a user named by its path.

        UnreadableFile if that is not a whole path, or not below one of :attr:`folders`.

        Where folders are given, what it says of a path outside does not tell whether something is
        there, and links are followed first.
        """
        try:
            path = Path(local_path(text.strip().strip('"'))).expanduser()
            whole = path.is_absolute() and "\0" not in str(path)
        except RuntimeError:
            whole = False
        if not whole:
            raise UnreadableFile(
                f"“{text.strip()[:200]}” is not a whole path.",
                advice="Begin with the drive or with /.",
            )
        folders = self.folders
        if folders is None:
            return path
        try:
            real = path.resolve()
            allowed = any(real.is_relative_to(folder) for folder in folders) and _stays_inside(
                real, folders
            )
        except (OSError, RuntimeError):
            allowed = False
        if not allowed:
            if not folders:
                raise UnreadableFile(
                    "Files of this server cannot be opened by their path.",
                    advice="Choose the file on your computer.",
                )
            raise UnreadableFile(
                "This path is not in one of the folders that this server opens files from.",
                advice="Ask whoever runs the server for them.",
            )
        return real


def _stays_inside(real: Path, folders: list[Path]) -> bool:
    """Whether no link in a folder leads out of ``folders``; a folder of very many files is not
    looked through and not taken.
    """
    seen = 0
    for place, inner, files in os.walk(real):
        for name in (*inner, *files):
            seen += 1
            found = Path(place, name)
            if seen > MANY or (
                found.is_symlink()
                and not any(found.resolve().is_relative_to(folder) for folder in folders)
            ):
                return False
    return True


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_origin(text: str) -> bool:
    try:
        parts = urlsplit(text)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    plain = not (
        parts.username
        or parts.password
        or parts.query
        or parts.fragment
        or any(c.isspace() for c in text)
    )
    default = {"http": ":80", "https": ":443"}.get(parts.scheme, "/")
    return (
        named
        and plain
        and parts.scheme in ("http", "https")
        and parts.path in ("", "/")
        and not parts.netloc.endswith(default)
    )
