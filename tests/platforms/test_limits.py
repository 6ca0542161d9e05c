"""What other systems allow: access lists, sockets, open files, long paths."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from desktop import server
from gui.config import Config
from gui.diagnostics import access_list, selfcheck

ROOT = Path(__file__).parents[2]
ME = "S-1-5-21-1004336348-1177238915-682003330-1001"
PRIVATE = f"D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;{ME})"


# -- access lists
# --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("more", "others"),
    [
        ("", []),
        ("(A;OICI;0x1200a9;;;BU)", ["all users of this computer"]),
        ("(A;OICIIO;GXGR;;;AU)", ["everybody who signs in"]),
        ("(A;;FR;;;WD)(A;;FA;;;WD)", ["everybody"]),
        (f"(A;OICI;FA;;;{ME[:-4]}1002)", [f"{ME[:-4]}1002"]),
        ("(A;;FX;;;BU)(A;;0x100020;;;WD)", []),  # may pass through, not read
        ("(D;;FA;;;WD)", []),  # denied
        (f"(A;;FA;;;{ME[:-4]}512)(A;;FA;;;OW)", []),
        ("S:(AU;SAFA;FA;;;WD)", []),  # what is watched, not what is allowed
    ],
)
def test_an_access_list_says_who_else_may_read(more: str, others: list[str]) -> None:
    assert access_list.other_readers(f"O:BAG:DU{PRIVATE}{more}", ME) == others


@pytest.mark.parametrize("sddl", ["", "O:BAG:DU", "D:NO_ACCESS_CONTROL"])
def test_without_an_access_list_everybody_may_read(sddl: str) -> None:
    assert access_list.other_readers(sddl, ME) == ["everybody"]


def test_doctor_looks_at_the_access_lists_and_says_how_to_mend_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config.for_tests(tmp_path)
    config.sessions_folder.mkdir(parents=True)
    lists = {config.sessions_folder: PRIVATE}
    monkeypatch.setattr(selfcheck, "os", SimpleNamespace(name="nt"))
    monkeypatch.setattr(access_list, "user_sid", lambda: ME)
    monkeypatch.setattr(access_list, "sddl_of", lambda folder: lists.get(folder, PRIVATE))
    assert selfcheck.permissions(config).ok
    lists[config.sessions_folder] += "(A;OICI;0x1200a9;;;BU)"
    found = selfcheck.permissions(config)
    assert not found.ok
    assert "all users of this computer" in found.result
    assert f'icacls "{config.sessions_folder}"' in found.advice


def test_the_list_is_read_as_windows_hands_it_out() -> None:
    freed: list[str] = []

    def to_text(_descriptor: Any, _revision: int, _what: int, text: Any, _length: Any) -> int:
        text._obj.value = PRIVATE
        return 1

    windll = SimpleNamespace(
        advapi32=SimpleNamespace(
            GetNamedSecurityInfoW=lambda *given: 0 if len(given) == 8 else 87,
            ConvertSecurityDescriptorToStringSecurityDescriptorW=to_text,
        ),
        kernel32=SimpleNamespace(LocalFree=lambda given: freed.append(type(given).__name__)),
    )
    assert access_list.sddl_of(Path("C:/a"), windll) == PRIVATE
    assert freed == ["c_wchar_p", "c_void_p"]
    windll.advapi32.GetNamedSecurityInfoW = lambda *given: 5
    with pytest.raises(OSError, match="access list"):
        access_list.sddl_of(Path("C:/a"), windll)


@pytest.mark.parametrize(
    "answer",
    [
        f'"rechner\\jürgen, dr.","{ME}"\r\n'.encode("cp850"),  # ü is nothing in cp1252
        f'"пк\\иван","{ME}"\r\n'.encode("cp866"),
        f"\nUser Name SID\n======= ===\nVM\\root {ME}\n".encode(),  # wine's
    ],
    ids=["german", "russian", "wine"],
)
def test_the_user_is_known_in_every_code_page(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(
        access_list.subprocess, "run", lambda *given, **more: SimpleNamespace(stdout=answer)
    )
    assert access_list.user_sid() == ME


def test_no_answer_about_the_user_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        access_list.subprocess, "run", lambda *given, **more: SimpleNamespace(stdout=b"")
    )
    with pytest.raises(OSError, match="did not say"):
        access_list.user_sid()


# -- sockets and files
# --------------------------------------------------------------------------------------------------
class Limits(ModuleType):
    """Python's module ``resource``. most : what ``setrlimit`` accepts, as kern.maxfiles on macOS"""

    RLIMIT_NOFILE, RLIM_INFINITY = 7, -1

    def __init__(self, soft: int, hard: int, most: int = 10**6) -> None:
        super().__init__("resource")
        self.soft, self.hard, self.most = soft, hard, most

    def getrlimit(self, _what: int) -> tuple[int, int]:
        return self.soft, self.hard

    def setrlimit(self, _what: int, limits: tuple[int, int]) -> None:
        if limits[0] > self.most:
            raise ValueError("current limit exceeds maximum limit")
        self.soft, self.hard = limits


@pytest.mark.parametrize(
    ("limits", "wanted", "found", "soft"),
    [
        (Limits(256, -1), 1000, 1000, 1150),  # macOS: raised
        (Limits(256, -1, most=1000), 1000, 106, 256),  # … as far as it goes
        (Limits(256, 512), 1000, 362, 512),
        (Limits(1_048_576, 1_048_576), 1000, 1000, 1_048_576),
        (Limits(-1, -1), 1000, 1000, -1),
        (Limits(100, 100), 1000, 50, 100),
    ],
    ids=["raised", "refused", "hard", "plenty", "infinite", "few"],
)
def test_connections_are_as_many_as_files_may_be_open(
    limits: Limits,
    wanted: int,
    found: int,
    soft: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setitem(sys.modules, "resource", limits)
    with caplog.at_level(logging.WARNING):
        assert server.most_connections(wanted) == found
    assert limits.soft == soft
    assert ("no more" in caplog.text) is (found < wanted)


def test_windows_selects_512_sockets_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert [server.most_connections(n) for n in (60, 1000)] == [60, 500]


# -- long paths
# --------------------------------------------------------------------------------------------------
@pytest.fixture
def dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev_of_platforms", ROOT / "dev.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_folder_that_is_too_deep_is_said_before_anything_is_installed(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep, flat = Path("C:/" + "x" * 65), Path("C:/deconomix")
    assert "move the folder" in dev.too_deep(deep, windows=True)
    assert dev.too_deep(flat, windows=True) == dev.too_deep(deep, windows=False) == ""
    monkeypatch.setattr(dev, "long_paths_allowed", lambda: True)
    assert dev.too_deep(deep, windows=True) == ""


def test_windows_is_asked_whether_it_allows_long_paths(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    import contextlib

    assert dev.long_paths_allowed() is (os.name == "nt" and dev.long_paths_allowed())
    value = [1]
    registry: Any = ModuleType("winreg")
    registry.HKEY_LOCAL_MACHINE = 1
    registry.OpenKey = lambda root, path: contextlib.nullcontext(path)
    registry.QueryValueEx = lambda key, name: (value[0], 4)
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert dev.long_paths_allowed()
    value[0] = 0
    assert not dev.long_paths_allowed()
