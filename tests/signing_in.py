"""What a browser does with a sign-in address, for clients that run no scripts: the key of the page
goes with every request.
"""

from __future__ import annotations

import re

from flask.testing import FlaskClient

from gui.guard import KEY_HEADER

IN_ENVIRON = f"HTTP_{KEY_HEADER.upper().replace('-', '_')}"


def key_in(page: str) -> str:
    """The key that the page behind a sign-in address hands over."""
    found = re.search(r'<meta name="dcx-key" content="([0-9a-f]{64})">', page)
    assert found, page[:200]
    return found[1]


def sign_in(client: FlaskClient, address: str, base: str) -> None:
    """Open the program with one of its addresses; the client keeps cookie and key. base : scheme,
    name and port that it asks for
    """
    answer = client.get("/" + address.rpartition("/")[2], base_url=base)
    assert answer.status_code == 200, answer.status_code
    client.environ_base[IN_ENVIRON] = key_in(answer.text)
