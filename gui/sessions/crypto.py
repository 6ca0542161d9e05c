"""Password protection: a random data key, wrapped under a password; objects sealed with it.
libsodium does the work (PyNaCl).

The password becomes a key by Argon2id (256 MiB, 3 passes); XChaCha20-Poly1305 seals, with the
format's version and the object's name as associated data, so that no object passes for another.
There is no way in without the password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gui.data.memory import available_memory
from gui.errors import DamagedSession, InvalidParameter, ProgramBusy, WrongPassword

MIN_PASSWORD = 12
MAX_PASSWORD = 1024
_MOST_TYPED = 8 * MAX_PASSWORD
"""Characters before they are made one (NFKC): longer texts are not looked at."""
_KEY, _SALT, _NONCE, _TAG = 32, 16, 24, 16
MAX_MEMORY = 2**30
MAX_WORK = 4 * 2**30
"""Bytes x passes that a file may ask for: a hostile one cannot stall the machine."""
_SPARE = 128 * 2**20
"""Bytes that must stay free beside what the derivation of a key takes."""
_one_at_a_time = threading.Lock()
"""Held while a key is derived: the memory and the processors of one derivation are all that
passwords ever take.
"""


@dataclass(frozen=True)
class Cost:
    """Of turning a password into a key. memory : bytes."""

    passes: int = 3
    memory: int = 256 * 2**20


DEFAULT_COST = Cost()


class Locked(Protocol):
    """A header, as far as unlocking needs it."""

    @property
    def lock(self) -> Mapping[str, Any] | None: ...


class SessionKey:
    """The data key of one session while it is unlocked, and the lock in its header.

    hide_name : the clear header does not tell the session's name. Wiping overwrites the key held
    here; copies that Python and libsodium made for a moment cannot be reached.
    """

    def __init__(self, key: bytes, lock: Mapping[str, Any], *, hide_name: bool = False) -> None:
        self._key = bytearray(key)
        self.lock = dict(lock)
        self.hide_name = hide_name

    @classmethod
    def new(
        cls, password: str, *, hide_name: bool = False, cost: Cost = DEFAULT_COST
    ) -> SessionKey:
        """A new data key under ``password``.

        InvalidParameter: shorter than 12 or longer than 1024 characters.
        """
        key = secrets.token_bytes(_KEY)
        return cls(key, _wrap(key, password, cost), hide_name=hide_name)

    @classmethod
    def unlock(cls, header: Locked, password: str) -> SessionKey:
        """The key of a session, unwrapped with its password.

        WrongPassword; DamagedSession if its lock is none or asks for more work than it may.
        """
        import nacl.bindings as sodium
        import nacl.exceptions

        if header.lock is None:
            raise DamagedSession("This session is not protected by a password.")
        if len(password) > _MOST_TYPED:
            raise WrongPassword("The password is wrong.")
        lock = checked_lock(header.lock)
        wrapped = bytes.fromhex(lock["key"])
        wrapping = _derive(
            password, bytes.fromhex(lock["salt"]), Cost(lock["passes"], lock["memory"])
        )
        try:
            key = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                wrapped[_NONCE:], b"dcxsession 1 key", wrapped[:_NONCE], wrapping
            )
        except nacl.exceptions.CryptoError:
            raise WrongPassword("The password is wrong.") from None
        if not hmac.compare_digest(_mark(key), lock["mark"]):
            raise DamagedSession("The lock of this session is damaged.")
        return cls(key, lock, hide_name=getattr(header, "name", "") is None)

    def rewrapped(self, new_password: str, *, cost: Cost = DEFAULT_COST) -> SessionKey:
        """The same data key under another password: the next save changes only the lock.

        An old copy of the file opens with the old password.
        """
        key = self._present()
        return SessionKey(key, _wrap(key, new_password, cost), hide_name=self.hide_name)

    def copy(self) -> SessionKey:
        """The same key and lock for another file, wiped on its own."""
        return SessionKey(self._present(), self.lock, hide_name=self.hide_name)

    def key(self) -> bytearray:
        """A copy of the key for another process of ours; who takes it overwrites it.

        WrongPassword: wiped.
        """
        return bytearray(self._present())

    def wipe(self) -> None:
        """Overwrite the key: it encrypts and decrypts nothing any more."""
        self._key[:] = bytes(len(self._key))
        self._key.clear()

    @property
    def wiped(self) -> bool:
        return not self._key

    def fits(self, lock: Mapping[str, Any] | None) -> bool:
        """Whether a header's lock is of this data key."""
        return lock is not None and hmac.compare_digest(
            str(lock.get("mark")).encode(), _mark(self._present()).encode()
        )

    def encrypt(self, name: str, data: bytes) -> bytes:
        """``data`` encrypted as the object ``name``: nonce, ciphertext, tag."""
        import nacl.bindings as sodium

        nonce = secrets.token_bytes(_NONCE)
        return nonce + sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            data, _associated(name), nonce, self._present()
        )

    def decrypt(self, name: str, data: bytes) -> bytes:
        """What :meth:`encrypt` encrypted under this name.

        DamagedSession: changed, of another name or of another key.
        """
        import nacl.bindings as sodium
        import nacl.exceptions

        if len(data) < _NONCE + _TAG:
            raise DamagedSession("A part of this session is damaged.")
        try:
            return bytes(
                sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                    data[_NONCE:], _associated(name), data[:_NONCE], self._present()
                )
            )
        except nacl.exceptions.CryptoError:
            raise DamagedSession("A part of this session was changed or is damaged.") from None

    def name_of(self, data: bytes | memoryview) -> str:
        """An object's name, 32 hex digits: equal content has equal names.

        Without the key, no content can be guessed from a name.
        """
        return hashlib.blake2b(
            data, key=self._present(), digest_size=16, person=b"dcxsession name"
        ).hexdigest()

    def _present(self) -> bytes:
        if self.wiped:
            raise WrongPassword("This session is locked again.")
        return bytes(self._key)

    def __reduce__(self) -> Any:
        raise TypeError("a key is not sent or stored")


def checked_lock(lock: Mapping[str, Any]) -> dict[str, Any]:
    """A header's lock after every check. DamagedSession."""
    lengths = {"salt": _SALT, "key": _NONCE + _KEY + _TAG, "mark": 16}
    if set(lock) != {"kdf", "passes", "memory", *lengths} or lock["kdf"] != "argon2id":
        raise DamagedSession("The lock of this session is damaged.")
    for key, length in lengths.items():
        value = lock[key]
        if (
            not isinstance(value, str)
            or len(value) != 2 * length
            or set(value) - set("0123456789abcdef")
        ):
            raise DamagedSession("The lock of this session is damaged.")
    passes, memory = lock["passes"], lock["memory"]
    if type(passes) is not int or type(memory) is not int or passes < 1 or memory < 8192:
        raise DamagedSession("The lock of this session is damaged.")
    if memory > MAX_MEMORY or passes * memory > MAX_WORK:
        raise DamagedSession(
            "Unlocking this session would take more memory or time than any session of this program"
            " does."
        )
    return dict(lock)


def _wrap(key: bytes, password: str, cost: Cost) -> dict[str, Any]:
    import nacl.bindings as sodium

    if (
        len(password) > _MOST_TYPED
        or not MIN_PASSWORD <= len(unicodedata.normalize("NFKC", password)) <= MAX_PASSWORD
    ):
        raise InvalidParameter(
            f"The password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters."
        )
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    wrapped = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        key, b"dcxsession 1 key", nonce, _derive(password, salt, cost)
    )
    return {
        "kdf": "argon2id",
        "passes": cost.passes,
        "memory": cost.memory,
        "salt": salt.hex(),
        "key": (nonce + wrapped).hex(),
        "mark": _mark(key),
    }


def _derive(password: str, salt: bytes, cost: Cost) -> bytes:
    """Derive a key from a password; the same one typed on any keyboard gives the same key (NFKC).

    ProgramBusy: not enough memory is free.
    """
    from nacl import pwhash

    secret = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    with _one_at_a_time:
        free = available_memory()
        if free is not None and cost.memory + _SPARE > free:
            raise ProgramBusy(
                "There is not enough free memory to check a password.",
                advice="Close other programs and try again.",
            )
        return bytes(
            pwhash.argon2id.kdf(_KEY, secret, salt, opslimit=cost.passes, memlimit=cost.memory)
        )


def _mark(key: bytes) -> str:
    """Tells keys apart without telling anything of them: a wrong key is no damage."""
    return hashlib.blake2b(b"", key=key, digest_size=16, person=b"dcxsession mark").hexdigest()


def _associated(name: str) -> bytes:
    return f"dcxsession 1 {name}".encode("ascii")
