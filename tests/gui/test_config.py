"""config.toml, the resources it comes with, and the logs whose folder it names."""

from __future__ import annotations

import io
import logging
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from gui.config import APP_NAME, ENV_NAME, Config, default_path, load_config
from gui.errors import ConfigError, DataError
from gui.logs import MAX_BYTES, get_logger, safe_traceback, start_logging, stop_logging
from gui.resources import resource


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reads or writes the configuration of whoever runs the suite."""
    monkeypatch.delenv(ENV_NAME, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


KEY = re.compile(r"(?:# )?(\w+) = ")
"""A key in the default file; one without a default stands in a comment."""


def leaves(values: dict[str, Any]) -> list[str]:
    """The keys that hold no section."""
    return [
        key
        for name, value in values.items()
        for key in (leaves(value) if isinstance(value, dict) else [name])
    ]


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(written(folder, text))
    message = str(caught.value)
    assert "config.toml" in message
    assert "\n" not in message
    assert message.endswith(".")
    assert "pydantic" not in message
    return message


def test_without_a_file_the_defaults_hold() -> None:
    config = load_config()
    assert config == Config()
    assert (
        config.compute.engine,
        config.compute.workers,
        config.server.port,
        config.appearance.theme,
    ) == ("fast", 1, 0, "system")


def test_default_file_has_every_key_and_equals_the_defaults() -> None:
    text = resource("default_config.toml").read_text(encoding="utf-8")
    without_comments = "\n".join(line.partition("#")[0] for line in text.splitlines())
    assert tomllib.loads(without_comments) == Config().model_dump(exclude_none=True)
    assert load_config(resource("default_config.toml")) == Config()


def test_every_key_of_the_default_file_is_explained_by_a_comment_above_it() -> None:
    lines = resource("default_config.toml").read_text(encoding="utf-8").splitlines()
    keys = [n for n, line in enumerate(lines) if KEY.match(line)]
    assert sorted(KEY.match(lines[n])[1] for n in keys) == sorted(leaves(Config().model_dump()))
    assert all(lines[n - 1].startswith("#") and not KEY.match(lines[n - 1]) for n in keys)


def test_keys_without_default_stand_in_the_default_file_as_comments_that_hold_when_the_mark_is_removed(
    tmp_path: Path,
) -> None:
    text = resource("default_config.toml").read_text(encoding="utf-8")
    cleanup = load_config(
        written(tmp_path, re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    ).sessions.cleanup
    assert (cleanup.max_sessions, cleanup.max_age_days) == (50, 180)
    assert Config().sessions.cleanup.max_sessions is None
    assert Config().sessions.cleanup.max_age_days is None


def test_every_value_is_read(tmp_path: Path) -> None:
    plugins = str(tmp_path / "my plug-ins ä")
    text = (
        "[compute]\nworkers = 2\n[server]\nport = 8050\nupload_limit_mb = 10\n[folders]\nplugins ="
        f" '{plugins}'\n[appearance]\ntheme = 'dark'\n"
    )
    config = load_config(written(tmp_path, text))
    assert (
        config.compute.workers,
        config.server.port,
        config.server.upload_limit_mb,
        config.appearance.theme,
    ) == (2, 8050, 10, "dark")
    assert config.plugins_folder == Path(plugins)
    assert config.compute.engine == "fast"


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "tls://cluster.example.org:8786", "tcp://[::1]:8786"]
)
def test_addresses_of_a_scheduler_are_taken_as_they_are(tmp_path: Path, address: str) -> None:
    assert (
        load_config(
            written(tmp_path, f'[compute]\nscheduler = "{address}"\ncores = 4')
        ).compute.scheduler
        == address
    )
    assert Config().compute.scheduler is None


def test_file_in_the_users_folder_and_in_the_environment_are_found_and_an_argument_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platformdirs, "user_config_dir", lambda *_, **__: str(tmp_path))
    written(tmp_path, "[compute]\nworkers = 2")
    assert load_config().compute.workers == 2
    other = tmp_path / "other.toml"
    other.write_text("[compute]\nworkers = 3", encoding="utf-8")
    monkeypatch.setenv(ENV_NAME, str(other))
    assert load_config().compute.workers == 3
    third = tmp_path / "third.toml"
    third.write_text("[compute]\nworkers = 4", encoding="utf-8")
    assert load_config(third).compute.workers == 4
    assert load_config(str(third)).compute.workers == 4


def test_folders_default_to_the_users_own() -> None:
    assert default_path().name == "config.toml"
    config = Config()
    assert all(
        APP_NAME in str(path)
        for path in (default_path(), config.data_folder, config.plugins_folder, config.logs_folder)
    )
    assert config.plugins_folder.parent == config.data_folder


def test_a_named_file_that_is_missing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml does not exist"):
        load_config(tmp_path / "nowhere.toml")
    monkeypatch.setenv(ENV_NAME, str(tmp_path / "nowhere.toml"))
    with pytest.raises(ConfigError, match=r"nowhere\.toml does not exist"):
        load_config()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[compute]\nworker = 2",
            "unknown key “worker” in [compute]; allowed: engine, workers, queue, cores, scheduler.",
        ),
        (
            "[computer]\nworkers = 2",
            (
                "unknown section [computer]; allowed: [compute], [server], [folders], [appearance],"
                " [sessions], [debug]."
            ),
        ),
        (
            "workers = 2",
            (
                "unknown key “workers” outside of a section; allowed: [compute], [server],"
                " [folders], [appearance], [sessions], [debug]."
            ),
        ),
        ("compute = 2", "“compute” must be a section with its own keys; write [compute]."),
        (
            "[[compute]]\nworkers = 2",
            "“compute” must be a section with its own keys; write [compute].",
        ),
        (
            '[compute]\nengine = "slow"',
            'engine in [compute] is "slow"; allowed: "fast" or "stock".',
        ),
        (
            "[compute]\nworkers = 0",
            "workers in [compute] is 0; allowed: a whole number from 1 to 64.",
        ),
        (
            '[compute]\nworkers = "2"',
            'workers in [compute] is "2"; allowed: a whole number from 1 to 64.',
        ),
        (
            "[compute]\nworkers = true",
            "workers in [compute] is true; allowed: a whole number from 1 to 64.",
        ),
        (
            "[compute]\nworkers = 1.5",
            "workers in [compute] is 1.5; allowed: a whole number from 1 to 64.",
        ),
        (
            "[compute]\ncores = -1",
            "cores in [compute] is -1; allowed: a whole number from 0 to 1024.",
        ),
        ("[compute]\nscheduler = 8786", "scheduler in [compute] is 8786; allowed: text in quotes."),
        *(
            (
                f'[compute]\nscheduler = "{address}"',
                (
                    f'scheduler in [compute] is "{address}"; allowed: the address of a Dask'
                    ' scheduler, such as "tcp://127.0.0.1:8786".'
                ),
            )
            for address in (
                "",
                "127.0.0.1:8786",
                "http://host:8786",
                "tcp://host",
                "tcp://host:99999",
                "tcp://host:8786/x",
                "tcp://a b:1",
                "tcp://:8786",
            )
        ),
        (
            "[server]\nport = 70000",
            "port in [server] is 70000; allowed: a whole number from 0 to 65535.",
        ),
        (
            "[server]\nupload_limit_mb = -1",
            "upload_limit_mb in [server] is -1; allowed: a whole number from 1 to 1000000.",
        ),
        ("[server]\nallow_remote = 1", "allow_remote in [server] is 1; allowed: true or false."),
        ("[server]\npublic_url = 1", "public_url in [server] is 1; allowed: text in quotes."),
        (
            '[server]\nimport_folders = "/srv"',
            'import_folders in [server] is "/srv"; allowed: a list of absolute paths in quotes.',
        ),
        (
            '[server]\nimport_folders = ["srv"]',
            'import_folders in [server] is "srv"; allowed: a list of absolute paths in quotes.',
        ),
        (
            '[server]\nhost = "localhost"',
            (
                'host in [server] is "localhost"; allowed: the IP address of this computer to'
                ' listen on, such as "127.0.0.1".'
            ),
        ),
        (
            '[server]\nhost = "0.0.0.0"',
            (
                'host in [server] is "0.0.0.0", which other computers reach, but allow_remote is'
                " false; set it to true, with public_url and trusted_proxy, or leave host out."
            ),
        ),
        (
            '[server]\npublic_url = "https://x.example"',
            (
                "public_url in [server] is given, but allow_remote is false; set it to true, with"
                " public_url and trusted_proxy, or leave public_url out."
            ),
        ),
        (
            "[server]\nallow_remote = true",
            (
                "allow_remote in [server] is true, but public_url is missing; give it, such as"
                ' "https://deconomix.example.org".'
            ),
        ),
        (
            '[server]\nallow_remote = true\npublic_url = "https://x.example"',
            (
                "allow_remote in [server] is true, but trusted_proxy is missing; give it, such as"
                ' "127.0.0.1".'
            ),
        ),
        (
            (
                "[server]\nallow_remote = true\npublic_url ="
                ' "https://x.example/tools"\ntrusted_proxy = "127.0.0.1"'
            ),
            (
                'public_url in [server] is "https://x.example/tools"; allowed: https:// (or'
                " http://) and a name, without a path."
            ),
        ),
        (
            '[server]\nallow_remote = true\npublic_url = "https://x.example"\ntrusted_proxy = "*"',
            'trusted_proxy in [server] is "*"; allowed: one IP address, such as "127.0.0.1".',
        ),
        (
            '[appearance]\ntheme = "pink"',
            'theme in [appearance] is "pink"; allowed: "system" or "light" or "dark".',
        ),
        (
            '[folders]\ndata = "here"',
            'data in [folders] is "here"; allowed: an absolute path in quotes, or "".',
        ),
        (
            '[sessions]\nfolder = "here"',
            'folder in [sessions] is "here"; allowed: an absolute path in quotes, or "".',
        ),
        ("[sessions]\nenabled = 1", "enabled in [sessions] is 1; allowed: true or false."),
        (
            "[sessions]\nmemory_mb = -1",
            "memory_mb in [sessions] is -1; allowed: a whole number from 0 to 1000000.",
        ),
        (
            "[sessions]\nlock_after_minutes = -1",
            "lock_after_minutes in [sessions] is -1; allowed: a number from 0 to 10080.",
        ),
        (
            "[sessions]\nlock_after = 1",
            (
                "unknown key “lock_after” in [sessions]; allowed: enabled, folder, archive, most,"
                " memory_mb, lock_after_minutes, backups."
            ),
        ),
        (
            "[sessions]\ncleanup = true",
            "“cleanup” must be a section with its own keys; write [sessions.cleanup].",
        ),
        (
            "[sessions.clean]\nenabled = true",
            "unknown section [sessions.clean]; allowed: [sessions.cleanup].",
        ),
        (
            "[sessions.cleanup]\nage = 1",
            (
                "unknown key “age” in [sessions.cleanup]; allowed: enabled, max_sessions,"
                " max_age_days, action."
            ),
        ),
        (
            "[sessions.cleanup.x]\nage = 1",
            (
                "unknown key “x” in [sessions.cleanup]; allowed: enabled, max_sessions,"
                " max_age_days, action."
            ),
        ),
        (
            "[sessions.cleanup]\nmax_sessions = 0",
            "max_sessions in [sessions.cleanup] is 0; allowed: a whole number from 1 to 1000000.",
        ),
        (
            "[sessions.cleanup]\nmax_sessions = 2.0",
            "max_sessions in [sessions.cleanup] is 2.0; allowed: a whole number from 1 to 1000000.",
        ),
        (
            "[sessions.cleanup]\nmax_age_days = 0",
            "max_age_days in [sessions.cleanup] is 0; allowed: a number above 0 to 36500.",
        ),
        (
            "[sessions.cleanup]\nmax_age_days = -1.5",
            "max_age_days in [sessions.cleanup] is -1.5; allowed: a number above 0 to 36500.",
        ),
        (
            "[sessions.cleanup]\nmax_age_days = inf",
            "max_age_days in [sessions.cleanup] is inf; allowed: a number above 0 to 36500.",
        ),
        (
            "[sessions.cleanup]\nmax_age_days = nan",
            "max_age_days in [sessions.cleanup] is nan; allowed: a number above 0 to 36500.",
        ),
        (
            '[sessions.cleanup]\naction = "burn"',
            'action in [sessions.cleanup] is "burn"; allowed: "archive" or "delete".',
        ),
        (
            "[sessions.cleanup]\nenabled = true",
            (
                "enabled in [sessions.cleanup] is true, but neither max_sessions nor max_age_days"
                " is given; give at least one of them."
            ),
        ),
        ("[debug]\nlog_cache = 'yes'", 'log_cache in [debug] is "yes"; allowed: true or false.'),
        (
            "[folders]\nlogs = 3",
            'logs in [folders] is 3; allowed: an absolute path in quotes, or "".',
        ),
    ],
)
def test_unknown_key_or_wrong_value_is_one_sentence_with_key_and_allowed(
    tmp_path: Path, text: str, sentence: str
) -> None:
    assert refused(tmp_path, text).endswith(f"config.toml: {sentence}")


@pytest.mark.parametrize(
    "limit",
    [
        "max_sessions = 5",
        "max_age_days = 180",
        "max_age_days = 0.5",
        "max_sessions = 1\nmax_age_days = 1",
    ],
)
def test_cleanup_is_enabled_by_either_limit_alone(tmp_path: Path, limit: str) -> None:
    cleanup = load_config(
        written(tmp_path, f"[sessions.cleanup]\nenabled = true\n{limit}")
    ).sessions.cleanup
    assert cleanup.enabled
    assert cleanup.action == "archive"


def test_session_folders_lie_below_the_data_folder_unless_named(tmp_path: Path) -> None:
    config = Config.for_tests(tmp_path)
    assert (config.sessions_folder, config.archive_folder) == (
        config.data_folder / "sessions",
        config.data_folder / "archive",
    )
    named = load_config(
        written(tmp_path, f"[sessions]\nfolder = '{tmp_path / 'a'}'\narchive = '{tmp_path / 'b'}'")
    )
    assert (named.sessions_folder, named.archive_folder) == (tmp_path / "a", tmp_path / "b")


def test_archive_in_the_folder_of_the_active_sessions_is_refused(tmp_path: Path) -> None:
    here = str(tmp_path / "sessions")
    sentence = (
        "archive in [sessions] is the folder of the active sessions too; allowed: another folder."
    )
    assert refused(tmp_path, f"[sessions]\nfolder = '{here}'\narchive = '{here}'").endswith(
        sentence
    )
    assert refused(
        tmp_path, f"[folders]\ndata = '{tmp_path}'\n[sessions]\narchive = '{here}'"
    ).endswith(sentence)


def test_misspelt_key_is_named_before_a_wrong_value(tmp_path: Path) -> None:
    assert "unknown key “colour”" in refused(
        tmp_path, '[compute]\nworkers = 0\n[appearance]\ncolour = "red"'
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[compute]\nworkers = = 2\n", 2),
        ("[compute\n", 1),
        ("[compute]\n\nworkers = 1\nworkers = 1\n", 4),
        ("\n[appearance]\ntheme = dark\n", 3),
        ('[folders]\ndata = "C:\\Users\\me"', 2),
    ],
)
def test_broken_toml_names_the_line(tmp_path: Path, text: str, line: int) -> None:
    assert refused(tmp_path, text).endswith(f"has a mistake in line {line}.")


def test_text_cut_off_in_the_middle_names_the_last_line(tmp_path: Path) -> None:
    assert refused(tmp_path, "[compute]\nworkers = ").endswith("has a mistake in line 2.")


def test_file_that_is_no_text_a_folder_and_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"[appearance]\ntheme = 'd\xe4rk'")
    with pytest.raises(ConfigError, match=r"is not UTF-8 text \(line 2\)"):
        load_config(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)
    file.write_bytes(b"\xef\xbb\xbf[appearance]\r\ntheme = 'dark'\r\n")
    assert load_config(file).appearance.theme == "dark"


def test_config_for_tests_stays_in_its_folder(tmp_path: Path) -> None:
    config = Config.for_tests(tmp_path)
    assert all(
        path.is_dir() and path.is_relative_to(tmp_path.resolve())
        for path in (config.data_folder, config.plugins_folder, config.logs_folder)
    )


# ---------------------------------------------------------------------------------------- resources


def test_resources_are_found_in_a_bundle_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "default_config.toml").write_text("", encoding="utf-8")
    assert resource("default_config.toml").parent.name in ("resources", "_resources")
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert resource("default_config.toml") == tmp_path / "resources" / "default_config.toml"


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../pyproject.toml", "icons/../../x", "..\\x", "C:/x"]
)
def test_resource_names_lead_nowhere_else(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a resource"):
        resource(name)


def test_missing_resource_is_named() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.svg is missing"):
        resource("nothing.svg")


# --------------------------------------------------------------------------------------------- logs


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    file = start_logging(tmp_path / "logs")
    assert file is not None
    yield file
    stop_logging()


def test_log_is_written_with_ids_and_numbers(log: Path) -> None:
    get_logger("gui.jobs.runner").info("job %s ended after %.1f s", "ab12", 3.25)
    text = log.read_text(encoding="utf-8")
    assert "info" in text
    assert "gui.jobs.runner: job ab12 ended after 3.2 s" in text


def test_log_holds_no_names_from_exceptions_frames_or_libraries(log: Path) -> None:
    def fail() -> None:
        try:
            raise KeyError("patient_Mueller")
        except KeyError as error:
            raise DataError("The sample patient_Mueller is empty.") from error

    logger = get_logger("gui.data.load")
    try:
        fail()
    except DataError as error:
        logger.exception("a file was refused: %s", error)
        logger.error(error)
        logger.warning("%(what)s", {"what": error})
        logging.getLogger("anndata").warning("Variable name patient_Mueller is not unique")
        logging.getLogger("waitress").error("patient_Mueller", exc_info=True)
        logger.info("sum %s of %d", ["patient_Mueller"], 3)
    text = log.read_text(encoding="utf-8")
    assert "patient_Mueller" not in text
    assert text.count("caused by\nKeyError") == 2
    assert "a file was refused: DataError" in text
    assert "tests/gui/test_config.py" in text
    assert "in fail" in text
    assert "sum list of 3" in text
    assert "waitress: a message from" in text


def test_a_record_formatted_elsewhere_first_is_still_clean(log: Path) -> None:
    careless = logging.StreamHandler(io.StringIO())
    logger = get_logger("gui.x")
    logger.addHandler(careless)
    try:
        raise ValueError("patient_Mueller")
    except ValueError:
        logger.exception("no\ntwo lines")
    finally:
        logger.removeHandler(careless)
    assert "patient_Mueller" in careless.stream.getvalue()
    text = log.read_text(encoding="utf-8")
    assert "patient_Mueller" not in text
    assert "gui.x: no\\ntwo lines\nValueError\n" in text


def test_log_rotates_and_keeps_a_few(log: Path) -> None:
    logger = get_logger("gui.big")
    for _ in range(7 * MAX_BYTES // 10_000):
        logger.info("x" * 10_000)
    files = sorted(log.parent.iterdir())
    assert len(files) == 5
    assert all(file.stat().st_size <= MAX_BYTES for file in files)


def test_unwritable_log_folder_does_not_stop_the_program(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    assert start_logging(blocked) is None
    get_logger("gui.x").info("goes nowhere")


def test_endless_chains_and_recursion_are_described_briefly() -> None:
    def deep(n: int) -> None:
        if n == 0:
            raise ValueError("name")
        deep(n - 1)

    with pytest.raises(ValueError, match="name") as caught:
        deep(300)
    text = safe_traceback(caught.value)
    assert text.startswith("ValueError")
    assert len(text.splitlines()) < 50
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert safe_traceback(first).splitlines() == ["ValueError", "caused by", "KeyError"]
