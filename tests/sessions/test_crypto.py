"""Password protection: what it lets nobody do, and how wrong passwords, damage and hostile files
are told apart.
"""

from __future__ import annotations

import dataclasses
import json
import pickle
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest
import zstandard

from gui.errors import DamagedSession, InvalidParameter, WrongPassword
from gui.sessions import crypto, file
from gui.sessions.crypto import Cost, SessionKey
from gui.sessions.file import load, read_header, save
from tests.sessions.hostile import members, pack
from tests.sessions.samples import CHEAP, ID, MARKER, PASSWORD, rich, same, session_key, tiny

MARKERS = [
    m.encode()
    for m in (
        "melanoma run 1",
        "sample 1",
        "barcode",
        "t cells",
        "train.h5ad",
        "lambda2",
        "gene weights",
        "patientin",
    )
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / file.file_name(ID)


def test_the_default_cost_is_256_mib_and_3_passes_of_argon2id(path: Path) -> None:
    assert (
        SessionKey.new.__func__.__kwdefaults__["cost"]  # type: ignore[attr-defined]
        == SessionKey.rewrapped.__kwdefaults__["cost"]
        == Cost(3, 256 * 2**20)
    )
    save(path, tiny(), expected_generation=None, session_key=SessionKey.new(PASSWORD))
    lock = read_header(path).lock
    assert lock is not None
    assert (lock["kdf"], lock["passes"], lock["memory"], len(lock["salt"])) == (
        "argon2id",
        3,
        268_435_456,
        32,
    )
    same(tiny(), load(path, session_key=SessionKey.unlock(read_header(path), PASSWORD)))


def test_a_password_is_the_same_on_every_keyboard(path: Path) -> None:
    password = "Äpfel und Ölbäume"
    save(path, tiny(), expected_generation=None, session_key=session_key(password))
    for form in ("NFC", "NFD", "NFKD"):
        same(
            tiny(),
            load(
                path,
                session_key=SessionKey.unlock(
                    read_header(path), unicodedata.normalize(form, password)
                ),
            ),
        )  # type: ignore[arg-type]


@pytest.mark.parametrize("password", ["", "elevenchars", "x" * 1025])
def test_a_password_that_is_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(InvalidParameter, match="12 to 1024 characters"):
        SessionKey.new(password, cost=CHEAP)


def test_wrong_password_missing_password_and_damage_are_told_apart(path: Path) -> None:
    mine = session_key()
    save(path, rich(), expected_generation=None, session_key=mine)
    with pytest.raises(WrongPassword, match="The password is wrong"):
        SessionKey.unlock(read_header(path), PASSWORD + " ")
    with pytest.raises(WrongPassword, match="protected by a password"):
        load(path)
    with pytest.raises(WrongPassword, match="protected again"):
        load(path, session_key=session_key())
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(DamagedSession):
        load(path, session_key=SessionKey.unlock(read_header(path), PASSWORD))


def test_a_changed_password_opens_the_same_objects_and_an_old_copy_opens_with_the_old_one(
    path: Path,
) -> None:
    first = session_key()
    save(path, rich(), expected_generation=None, session_key=first)
    old, before = read_header(path), members(path)
    second = first.rewrapped("another long password", cost=CHEAP)
    save(path, rich(), expected_generation=1, session_key=second)
    after = members(path)
    assert {k: v for k, v in after.items() if k.startswith("o/")} == {
        k: v for k, v in before.items() if k.startswith("o/")
    }
    same(
        rich(),
        load(path, session_key=SessionKey.unlock(read_header(path), "another long password")),
    )
    with pytest.raises(WrongPassword):
        SessionKey.unlock(read_header(path), PASSWORD)
    # said in the program: that is why there is re-encryption
    same(rich(), load(path, session_key=SessionKey.unlock(old, PASSWORD)))


def test_re_encryption_makes_a_new_key_and_leaves_no_object_as_it_was(path: Path) -> None:
    old = session_key()
    save(path, rich(), expected_generation=None, session_key=old)
    before = members(path)
    save(path, rich(), expected_generation=1, session_key=session_key("another long password"))
    assert not {k for k in before if k.startswith("o/")} & set(members(path))
    with pytest.raises(WrongPassword):
        load(path, session_key=old)


def test_protection_can_be_taken_off(path: Path) -> None:
    save(path, rich(), expected_generation=None, session_key=session_key())
    save(path, rich(), expected_generation=1)
    assert not read_header(path).encrypted
    same(rich(), load(path))


def test_a_wiped_seal_opens_and_seals_nothing(path: Path) -> None:
    key = session_key()
    save(path, tiny(), expected_generation=None, session_key=key)
    held = key._key
    key.wipe()
    assert key.wiped
    assert not any(held)
    for use in (
        lambda: load(path, session_key=key),
        lambda: save(path, tiny(), expected_generation=1, session_key=key),
        lambda: key.rewrapped(PASSWORD),
    ):
        with pytest.raises(WrongPassword, match="locked again"):
            use()
    with pytest.raises(TypeError):
        pickle.dumps(session_key())


# --------------------------------------------------------------------------------- nothing in clear


def _everything(folder: Path) -> bytes:
    """All that a finder of the disk can read without a key: the files, what is in the ZIP, and that
    uncompressed.
    """
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            found.append(path.read_bytes())
            if zipfile.is_zipfile(path):
                for data in members(path).values():
                    found.append(data)
                    try:
                        found.append(zstandard.decompress(data))
                    except zstandard.ZstdError:
                        continue
    return b"\n".join(found).lower() + b"".join(str(p.name).encode() for p in folder.rglob("*"))


@pytest.mark.parametrize("protected", [True, False])
def test_nothing_of_a_protected_session_is_on_disk_in_clear(
    path: Path, protected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not in what a killed save leaves.

    Positive control: without protection every marker is found.
    """
    from gui import atomic

    key = session_key(hide_name=True) if protected else None
    save(path, rich(), expected_generation=None, session_key=key)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic, "replace", killed)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(KeyboardInterrupt):
        save(path, rich(runs=2), expected_generation=1, session_key=key)
    monkeypatch.undo()
    assert list(path.parent.glob("*.part"))
    seen = _everything(path.parent)
    found = [m for m in MARKERS if m in seen]
    assert found == ([] if protected else MARKERS)
    raw_values = rich().runs[0].result.gene_weights.to_numpy().tobytes()
    assert (raw_values.lower() in seen) is not protected


def test_a_protected_session_can_hide_its_name(path: Path) -> None:
    for hide, shown in ((False, "melanoma run 1"), (True, None)):
        path.unlink(missing_ok=True)
        save(path, rich(), expected_generation=None, session_key=session_key(hide_name=hide))
        head = read_header(path)
        assert (head.name, head.contents, head.encrypted) == (shown, {}, True)
        unlocked = SessionKey.unlock(head, PASSWORD)
        assert unlocked.hide_name is hide
        assert load(path, session_key=unlocked).name == "melanoma run 1"


def test_object_names_do_not_tell_the_content(path: Path) -> None:
    save(path, rich(), expected_generation=None)
    plain = {n for n in members(path) if n.startswith("o/")}
    save(path, rich(), expected_generation=1, session_key=session_key())
    assert not plain & set(members(path))


# ------------------------------------------------------------------------------------- manipulation


def test_the_header_of_a_protected_session_cannot_be_changed(path: Path) -> None:
    key = session_key()
    save(path, tiny(), expected_generation=None, session_key=key)
    found = members(path)
    for change in (
        {"name": "other"},
        {"generation": 9},
        {"status": "archived"},
        {"contents": {"data": True}},
    ):
        head = json.dumps(json.loads(found["header.json"]) | change).encode()
        path.write_bytes(pack(list((found | {"header.json": head}).items())))
        read_header(path)
        with pytest.raises(DamagedSession, match="header of this session was changed"):
            load(path, session_key=key)


def test_one_sealed_object_does_not_pass_for_another(path: Path) -> None:
    key = session_key()
    save(path, rich(), expected_generation=None, session_key=key)
    found = members(path)
    one, two = [n for n in found if n.startswith("o/")][:2]
    path.write_bytes(pack(list((found | {one: found[two], two: found[one]}).items())))
    with pytest.raises(DamagedSession):
        load(path, session_key=key)
    with pytest.raises(DamagedSession):
        key.decrypt("o/b", key.encrypt("o/a", b"data"))
    assert key.decrypt("o/a", key.encrypt("o/a", b"data")) == b"data"


def test_a_protected_session_cannot_be_made_to_look_unprotected(path: Path) -> None:
    save(path, tiny(), expected_generation=None, session_key=session_key())
    found = members(path)
    head = json.loads(found["header.json"]) | {"encrypted": False, "lock": None}
    path.write_bytes(pack(list((found | {"header.json": json.dumps(head).encode()}).items())))
    with pytest.raises(DamagedSession):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"memory": 2**40},
        {"memory": 2**30, "passes": 5},
        {"passes": 2**31},
        {"passes": 0},
        {"memory": 1},
        {"memory": "256"},
        {"salt": "00"},
        {"key": "zz" * 72},
        {"kdf": "none"},
        {"more": 1},
        {"mark": "0" * 32},
    ],
    ids=str,
)
def test_a_hostile_lock_is_refused_before_any_work_is_done(
    path: Path, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, tiny(), expected_generation=None, session_key=session_key())
    head = read_header(path)
    if "mark" not in change:
        monkeypatch.setattr(crypto, "_derive", lambda *_: pytest.fail("work was done"))
    assert head.lock is not None
    with pytest.raises(DamagedSession):
        SessionKey.unlock(dataclasses.replace(head, lock=dict(head.lock) | change), PASSWORD)


def test_the_same_content_sealed_twice_looks_different() -> None:
    key = session_key()
    assert key.encrypt("o/a", b"data") != key.encrypt("o/a", b"data")
    assert MARKER.encode() not in key.encrypt("o/a", MARKER.encode())
