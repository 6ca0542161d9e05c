"""What the installers of the three systems say about the program: read here, as no machine runs all
of them; a system's own tool is asked where it is there.
"""

from __future__ import annotations

import io
import plistlib
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gui import __version__
from gui.config import APP_NAME
from gui.files import SESSION

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGING = ROOT / "packaging"


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("", "linux", "macos", "windows"):
        monkeypatch.syspath_prepend(str(PACKAGING / folder))


@pytest.fixture
def product() -> ModuleType:
    import product  # type: ignore[import-not-found]

    return product  # type: ignore[no-any-return]


def tool(name: str, *arguments: object) -> None:
    """Ask it; a finding fails the test, a machine without it skips it."""
    if shutil.which(name) is None:
        pytest.skip(f"needs {name}")
    done = subprocess.run([name, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_names_and_version_are_the_programs_own(product: ModuleType) -> None:
    assert (product.version(), product.NAME) == (__version__, APP_NAME)
    assert product.SUFFIX in SESSION.suffixes
    assert SESSION.name == product.FILE_TYPE
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == product.PACKAGE
    assert product.PACKAGE in project["scripts"]


@pytest.mark.parametrize(
    ("text", "four"),
    [
        ("1.2.3", (1, 2, 3, 0)),
        ("0.1.0rc2", (0, 1, 0, 0)),
        ("2", (2, 0, 0, 0)),
        ("1.10.0+local.4", (1, 10, 0, 0)),
    ],
)
def test_the_version_in_four_numbers(text: str, four: tuple[int, ...], product: ModuleType) -> None:
    assert product.numbers(text) == four


# -- Linux
# --------------------------------------------------------------------------------------------------


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import make_deb  # type: ignore[import-not-found]

    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    make_deb.share(tmp_path)
    return tmp_path


def test_the_menu_entry(share: Path, product: ModuleType) -> None:
    path = share / "applications" / f"{product.IDENTIFIER}.desktop"
    found = ConfigParser(interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(path)
    entry = found["Desktop Entry"]
    assert (entry["Name"], entry["Exec"], entry["MimeType"], entry["Terminal"]) == (
        product.NAME,
        f"{product.PACKAGE} %F",
        f"{product.MIME};",
        "false",
    )
    tool("desktop-file-validate", path)


def test_the_file_type_is_known_by_name_and_by_content(share: Path, product: ModuleType) -> None:
    root = ET.parse(share / "mime" / "packages" / f"{product.PACKAGE}.xml").getroot()
    space = {"m": "http://www.freedesktop.org/standards/shared-mime-info"}
    (kind,) = root.findall("m:mime-type", space)
    assert kind.attrib["type"] == product.MIME
    assert [glob.attrib["pattern"] for glob in kind.findall("m:glob", space)] == [
        f"*{product.SUFFIX}"
    ]
    outer = kind.find("m:magic/m:match", space)
    inner = kind.find("m:magic/m:match/m:match", space)
    assert outer is not None
    assert inner is not None
    real = (ROOT / "tests" / "fixtures" / "session-1.2.dcxsession").read_bytes()
    assert real[int(outer.attrib["offset"]) :].startswith(b"PK\3\4")
    assert real[int(inner.attrib["offset"]) :].startswith(inner.attrib["value"].encode())
    if shutil.which("update-mime-database"):
        tool("update-mime-database", share / "mime")
        assert product.MIME in (share / "mime" / "globs2").read_text()


def test_the_description_for_software_centres(share: Path, product: ModuleType) -> None:
    path = share / "metainfo" / f"{product.IDENTIFIER}.metainfo.xml"
    root = ET.parse(path).getroot()
    assert root.findtext("id") == product.IDENTIFIER
    assert root.findtext("launchable") == f"{product.IDENTIFIER}.desktop"
    release = root.find("releases/release")
    assert release is not None
    assert release.attrib == {"version": __version__, "date": "2026-09-21"}
    tool("appstreamcli", "validate", "--no-net", path)


def test_every_icon_of_the_menu_entry_and_the_file_type_is_there(
    share: Path, product: ModuleType
) -> None:
    for size in (48, 128, 256):
        folder = share / "icons" / "hicolor" / f"{size}x{size}"
        for path in (
            folder / "apps" / f"{product.PACKAGE}.png",
            folder / "mimetypes" / "application-x-dcxsession.png",
        ):
            head = path.read_bytes()[:24]
            assert (int.from_bytes(head[16:20]), int.from_bytes(head[20:24])) == (size, size)


@pytest.mark.window
def test_the_icons_are_drawn_from_the_logo(product: ModuleType) -> None:
    import icons  # type: ignore[import-not-found]
    from PIL import Image, ImageChops

    for name, session in (("app", False), ("session", True)):
        kept = Image.open(product.ICONS / f"{name}-128.png").convert("RGBA")
        drawn = Image.open(io.BytesIO(icons.drawn(128, session=session))).convert("RGBA")
        # edges differ between versions
        assert max(high for _, high in ImageChops.difference(kept, drawn).getextrema()) < 64, (
            "run packaging/icons.py"
        )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the launcher is for Linux")
@pytest.mark.parametrize(
    ("have", "starts"),
    [
        ("glibc 2.36", True),
        ("glibc 2.100", True),
        ("glibc 2.17", False),
        ("glibc 2.5", False),
        (None, False),
    ],
)
def test_a_system_that_is_too_old_is_told_in_a_sentence(
    have: str | None, starts: bool, tmp_path: Path
) -> None:
    import make_deb

    make_deb.launcher(tmp_path / "deconomix-gui", "program", "2.34")
    for name, script in (
        ("program", 'echo started "$1"'),
        ("getconf", f"echo {have}" if have else "exit 1"),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        [str(tmp_path / "deconomix-gui"), "a file"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if starts:
        assert (done.returncode, done.stdout) == (0, "started a file\n")
    else:
        assert (done.returncode, done.stdout) == (2, "")
        assert "2.34 or newer" in done.stderr
        assert "Ubuntu 22.04" in done.stderr


# -- macOS
# --------------------------------------------------------------------------------------------------


def test_the_app_owns_sessions_and_offers_itself_for_data(product: ModuleType) -> None:
    import info_plist  # type: ignore[import-not-found]

    found = plistlib.loads(plistlib.dumps(info_plist.contents()))
    (exported,) = found["UTExportedTypeDeclarations"]
    assert exported["UTTypeTagSpecification"] == {
        "public.filename-extension": ["dcxsession"],
        "public.mime-type": [product.MIME],
    }
    owned = [kind for kind in found["CFBundleDocumentTypes"] if kind["LSHandlerRank"] == "Owner"]
    assert [kind["LSItemContentTypes"] for kind in owned] == [[exported["UTTypeIdentifier"]]]
    others = {
        suffix
        for kind in found["CFBundleDocumentTypes"]
        for suffix in kind.get("CFBundleTypeExtensions", [])
    }
    assert {"dcx", "h5ad", "csv", "xlsx"} <= others
    assert found["CFBundleShortVersionString"] == __version__
    assert (product.ICONS / exported["UTTypeIconFile"]).is_file()
    assert all((product.ICONS / kind["CFBundleTypeIconFile"]).is_file() for kind in owned)


def test_every_text_names_the_same_oldest_macos(product: ModuleType) -> None:
    import info_plist

    oldest = info_plist.contents()["LSMinimumSystemVersion"].removesuffix(".0")
    for name in ("README.md", "packaging/ADMIN.md"):
        assert f"macOS {oldest} or newer" in (PACKAGING.parent / name).read_text("utf-8"), name


def test_all_code_is_signed_whatever_it_is_called(tmp_path: Path, product: ModuleType) -> None:
    import make_dmg  # type: ignore[import-not-found]

    files = {
        "library.so": "cffaedfe",
        "torch_shm_manager": "cffaedfe",
        "Python": "cafebabe",
        "data.so": "00000000",
        "empty": "",
    }
    for name, begin in files.items():
        (tmp_path / name).write_bytes(bytes.fromhex(begin) + b"rest" * bool(begin))
    (tmp_path / "link").symlink_to("library.so")
    assert sorted(path.name for path in tmp_path.iterdir() if make_dmg.is_code(path)) == [
        "Python",
        "library.so",
        "torch_shm_manager",
    ]


def test_the_entitlements_are_a_property_list() -> None:
    found = plistlib.loads((PACKAGING / "macos" / "entitlements.plist").read_bytes())
    assert set(found.values()) == {True}
    assert "com.apple.security.get-task-allow" not in found  # with it nothing is notarised


# -- Windows
# --------------------------------------------------------------------------------------------------


def test_the_version_resource_is_what_pyinstaller_reads(product: ModuleType) -> None:
    import version_info  # type: ignore[import-not-found]

    names = (
        "VSVersionInfo",
        "FixedFileInfo",
        "StringFileInfo",
        "StringTable",
        "StringStruct",
        "VarFileInfo",
        "VarStruct",
    )
    calls: list[tuple[object, ...]] = []
    stand_ins = {
        name: (lambda *args, _name=name, **kwargs: calls.append((_name, *args, *kwargs.items())))
        for name in names
    }
    eval(compile(version_info.contents(), "version_info", "eval"), dict(stand_ins))  # noqa: S307 - as PyInstaller does
    strings = {call[1]: call[2] for call in calls if call[0] == "StringStruct"}
    assert (strings["ProductName"], strings["ProductVersion"], strings["OriginalFilename"]) == (
        APP_NAME,
        __version__,
        f"{APP_NAME}.exe",
    )


def test_the_setup_writes_what_the_administrators_sheet_says(product: ModuleType) -> None:
    script = (PACKAGING / "windows" / "installer.nsi").read_text("utf-8")
    defined = dict(re.findall(r'^!define (\w+) "?([^"\n]+)"?$', script, re.MULTILINE))
    assert (defined["NAME"], defined["SUFFIX"], defined["PROGRAM"]) == (
        product.NAME,
        product.SUFFIX,
        f"{product.NAME}.exe",
    )
    assert f'"Content Type" "{product.MIME}"' in script
    sheet = (PACKAGING / "ADMIN.md").read_text("utf-8")
    for said in (
        defined["UNINSTALL"],
        defined["PROGID"],
        "/ALLUSERS",
        "/PURGE",
        *(f"| {defined[code]} |" for code in ("NOT_ALLOWED", "IN_USE", "TOO_OLD")),
    ):
        assert said in sheet, said
    removed = re.findall(r"RMDir /r \"([^\"]+)\"", script)
    # never the folder that the user chose
    assert set(removed) == {
        r"$INSTDIR\app",
        r"$INSTDIR\${OLD}",
        r"$INSTDIR\app.old",
        r"$LOCALAPPDATA\${NAME}",
    }


def test_the_setup_takes_no_folder_that_is_not_its_own() -> None:
    """``/D=`` and Browse choose any folder, and it may hold an ``app`` of somebody else."""
    script = (PACKAGING / "windows" / "installer.nsi").read_text("utf-8")
    assert "deconomix" in dict(re.findall(r'^!define (\w+) "([^"]+)"', script, re.MULTILINE))["OLD"]
    assert script.count(r'RMDir /r "$INSTDIR\app"') == 1  # what was just written
    assert script.count(r'RMDir /r "$INSTDIR\app.old"') == 1
    assert re.search(
        r'FileExists} "\$INSTDIR\\app\.old\\\$\{PROGRAM}"\n +RMDir /r "\$INSTDIR\\app\.old"', script
    )
    for section in re.findall(r"^Section.*?^SectionEnd", script, re.MULTILINE | re.DOTALL):
        before, moved, _ = section.partition(r'Rename "$INSTDIR\app"')
        assert not moved or "!insertmacro OURS" in before
    install = script.partition('Section "${NAME}"')[2].partition("SectionEnd")[0]
    assert install.index("${MARK}") < install.index("File /r")  # also if it is ended in the middle
    assert r'DeleteRegKey HKCU "${NOTICES}"' in script


def test_the_key_of_desktop_notices_is_the_one_that_is_removed(product: ModuleType) -> None:
    from desktop import job_watcher

    script = (PACKAGING / "windows" / "installer.nsi").read_text("utf-8")
    key = re.search(r'^!define NOTICES "([^"]+)"', script, re.MULTILINE)
    assert key
    name = key[1].rpartition("\\")[2]
    source = Path(job_watcher.__file__).read_text("utf-8")
    assert f'DesktopNotifier(app_name="{name}"' in source


def test_the_setup_compiles_without_a_warning(tmp_path: Path, product: ModuleType) -> None:
    if shutil.which("makensis") is None:
        pytest.skip("needs makensis")
    import make_setup  # type: ignore[import-not-found]

    source = tmp_path / "program"
    source.mkdir()
    (source / f"{product.NAME}.exe").write_bytes(b"MZ")
    made = make_setup.compiled(source, tmp_path / "deconomix-gui-9-setup.exe", version="9.0.0")
    assert made.read_bytes().startswith(b"MZ")


def packed_on_windows() -> list[str]:
    """What the packages that are installed here hold, under the names that it has on Windows.

    Modules are in PyInstaller's archive; of torch they are files, too.
    """
    import bundle_files  # type: ignore[import-not-found]

    elsewhere = ("PySide6/", "shiboken6/", "playwright/", "../")
    found = []
    for distribution in metadata.distributions():
        for path in distribution.files or ():
            name = path.as_posix()
            if (
                bundle_files.is_needed(name)
                and not name.startswith(elsewhere)
                and not name.endswith(".pyc")
                and (not name.endswith(".py") or name.startswith("torch/"))
            ):
                found.append(re.sub(r"\.cpython-.*\.so$", ".cp313-win_amd64.pyd", name))
    return found


def test_no_packed_path_is_too_long_for_windows(product: ModuleType) -> None:
    import bundle_files

    packed = packed_on_windows()
    assert len(packed) > 1000
    assert bundle_files.too_long(packed) == []
    archived = f"{product.PACKAGE}-10.10.10-windows-x86_64-portable"
    where = f"C:/Users/{'x' * 20}/Downloads/{archived}/{product.NAME}/"
    assert len(where) + bundle_files.LONGEST < 260
    # control: licences were the longest; they are laid beside the program under short names
    licence = "torch-2.13.0.dist-info/licenses/third_party/" + "deep/" * 20 + "LICENSE"
    assert bundle_files.too_long([licence]) == [licence]
    assert not bundle_files.is_needed(licence)


def test_what_is_needed_stays_in_the_bundle(product: ModuleType) -> None:
    import bundle_files

    for name, needed in {
        "torch/_inductor/config.py": True,
        "torch/_inductor/graph.py": False,
        r"torch\bin\protoc.exe": False,
        r"torch\lib\torch_cpu.dll": True,
        "dash-4.4.1.dist-info/METADATA": True,
        "dash-4.4.1.dist-info/RECORD": False,
        "webview/lib/Microsoft.Web.WebView2.Core.dll": True,
        "PySide6/Qt/translations/qtbase_de.qm": False,
        "zstandard/_cffi.pyd": False,
    }.items():
        assert bundle_files.is_needed(name) is needed, name


# -- parts
# --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="these systems' paths and packages")
def test_packed_libraries_of_debian_and_red_hat_are_listed_and_nobodys_are_refused(
    tmp_path: Path, product: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    import parts  # type: ignore[import-not-found]

    known = {
        "dpkg-query": {"liba.so": "liba1:amd64: /usr/lib/liba.so\n", "liba1": "1.2-3\n"},
        "rpm": {"libb.so": "libb\t2.0-1.el9\tLGPL-2.1-or-later\n"},
    }
    monkeypatch.setattr(
        parts, "asked", lambda program, *arguments: known[program].get(Path(arguments[-1]).name, "")
    )
    for name in ("liba.so", "libb.so", "libc.so"):
        (tmp_path / name).write_bytes(b"")
    found = list(parts.of_system([tmp_path / "liba.so", tmp_path / "libb.so"]))
    assert [(part.name, part.version, part.kind, part.licence) for part in found] == [
        ("liba1", "1.2-3", "deb", ""),
        ("libb", "2.0-1.el9", "rpm", "LGPL-2.1-or-later"),
    ]
    with pytest.raises(SystemExit, match=r"libc\.so"):
        list(parts.of_system([tmp_path / "libc.so"]))
    # the system's own Python: what lies beside it is not Python's
    monkeypatch.setattr("sys.base_prefix", "/usr")
    with pytest.raises(SystemExit, match="/usr/bin/env"):
        list(parts.of_system([Path("/usr/bin/env")]))


# -- all
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_the_workflows_are_in_the_form_that_github_reads(path: Path) -> None:
    tool(
        str(Path(sys.executable).parent / "check-jsonschema"),
        "--builtin-schema",
        "vendor.github-workflows",
        path,
    )


def steps(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """Every step of a workflow, with the system that it runs on."""
    yaml = pytest.importorskip("yaml")
    found = []
    for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
        systems = job["strategy"]["matrix"]["system"] if "strategy" in job else [job["runs-on"]]
        found += [(system, step) for system in systems for step in job["steps"]]
    return found


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_shell_step_of_the_workflows_can_be_parsed(path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    scripts = [
        re.sub(r"\$\{\{.*?\}\}", "x", step["run"])
        for system, step in steps(path)
        if "run" in step
        and (step.get("shell") == "bash" or ("shell" not in step and "windows" not in system))
    ]
    assert scripts
    for script in dict.fromkeys(scripts):
        done = subprocess.run(
            [bash, "-n"], input=script, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + script
    broken = subprocess.run([bash, "-n"], input="if true; then", capture_output=True, text=True)
    assert broken.returncode != 0  # control


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_workflows_name_files_that_are_there_and_runners_that_are(path: Path) -> None:
    retired = ("macos-12", "macos-13", "macos-14", "windows-2019", "ubuntu-20.04")
    node24 = {"checkout": 6, "setup-python": 6, "upload-artifact": 6, "download-artifact": 7}
    for system, step in steps(path):
        assert system not in retired
        if uses := re.fullmatch(r"actions/([a-z-]+)@v(\d+)", step.get("uses", "")):
            assert int(uses[2]) >= node24[uses[1]]
        for named in re.findall(r"\b(?:packaging|tests)[\\/][\w./\\-]+\.\w+", step.get("run", "")):
            assert (ROOT / named.replace("\\", "/")).is_file(), named


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name
)
def test_the_issue_forms_are_in_the_form_that_github_reads(path: Path) -> None:
    schema = "vendor.github-issue-config" if path.stem == "config" else "vendor.github-issue-forms"
    tool(str(Path(sys.executable).parent / "check-jsonschema"), "--builtin-schema", schema, path)


def test_the_update_key_is_checked_before_it_is_built_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import make_installer  # type: ignore[import-not-found]

    monkeypatch.setattr(make_installer, "BUILD", tmp_path / "build")
    given = tmp_path / "key.pub"
    given.write_text("not a key\n")
    with pytest.raises(SystemExit, match="no Ed25519 public key"):
        make_installer.keep_update_key(given)
    given.write_text(f"{bytes(range(32)).hex()}\n")
    make_installer.keep_update_key(given)
    assert (tmp_path / "build" / "update_key.pub").read_text().strip() == bytes(range(32)).hex()
    make_installer.keep_update_key(None)  # the next build has none unless it is given
    assert not (tmp_path / "build" / "update_key.pub").exists()


def test_hashes_end_lines_as_sha256sum_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: ModuleType
) -> None:
    import make_installer

    program, made = tmp_path / "program", tmp_path / "x.deb"
    program.mkdir()
    (program / "a.txt").write_bytes(b"a")
    made.write_bytes(b"x")
    monkeypatch.setattr(make_installer, "DIST", tmp_path)
    monkeypatch.setattr(product, "BUNDLE", program)
    real = Path.write_text

    def write_as_windows(self: Path, data: str, *given: str, newline: str | None = None) -> int:
        return real(self, data, *given, newline="\r\n" if newline is None else newline)

    monkeypatch.setattr(Path, "write_text", write_as_windows)
    (tmp_path / "control").write_text("a\n")
    assert b"\r" in (tmp_path / "control").read_bytes()
    make_installer.write_sums([made])
    sums = [tmp_path / "SHA256SUMS", *tmp_path.glob("*.files.sha256")]
    assert len(sums) == 2
    for path in sums:
        assert path.read_bytes().endswith(b"\n")
        assert b"\r" not in path.read_bytes()


def test_the_installer_is_made_without_git(
    monkeypatch: pytest.MonkeyPatch, product: ModuleType
) -> None:
    import make_installer

    assert make_installer.last_change() > 1_700_000_000
    monkeypatch.setenv("PATH", "/nowhere")
    assert make_installer.last_change() > 1_700_000_000


def test_a_disk_image_that_is_busy_is_made_at_the_next_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import make_dmg

    waits: list[float] = []
    ends = [1, 1, 0]

    def run(*command: object) -> None:
        if ends.pop(0):
            raise subprocess.CalledProcessError(1, "hdiutil: create failed - Resource busy")

    monkeypatch.setattr(make_dmg.time, "sleep", waits.append)
    monkeypatch.setattr(make_dmg, "run", run)
    make_dmg.insist("hdiutil", "create")
    assert (len(waits), ends) == (2, [])
    ends += [1] * 9
    with pytest.raises(subprocess.CalledProcessError):
        make_dmg.insist("hdiutil", "create")
    assert len(ends) == 4  # five attempts


def test_too_large_is_an_error_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import make_installer

    path = tmp_path / "x.deb"
    path.write_bytes(b"12345")
    assert make_installer.within_budget(10, [path]) == 0
    monkeypatch.setattr(make_installer, "MOST_DOWNLOAD", 4)
    assert make_installer.within_budget(10, [path]) == 1
    assert "x.deb" in capsys.readouterr().out
    assert make_installer.within_budget(make_installer.MOST_INSTALLED + 1, []) == 1
