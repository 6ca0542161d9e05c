"""A trained model as a file: it comes back to the bit, and a hostile or damaged one is refused in
words.
"""

import contextlib
import gzip
import json
import tracemalloc
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gui.engine import model
from gui.engine.model import model_bytes, read_model
from gui.engine.params import DTDParams
from gui.engine.results import DTDResult, Provenance, Run
from gui.errors import DeconomixError, UnreadableFile, UnsafeFile
from gui.sessions.kinds import check_run

gz = partial(gzip.compress, mtime=0)
"""Without the time: it would stand in the names of the tests, which every process must give alike.
"""


def as_result(reference: pd.DataFrame, weights: pd.Series, **more) -> DTDResult:
    empty = pd.DataFrame()
    return DTDResult(reference, weights, np.empty(0), empty, {}, {}, {}, empty, **more)


names = st.text(min_size=1, max_size=12)


@given(data=st.data(), types=st.integers(2, 5), extra=st.integers(0, 5), single=st.booleans())
def test_model_comes_back_to_the_bit(data, types, extra, single):
    genes = types + extra
    labels = data.draw(st.lists(names, min_size=genes + types, max_size=genes + types, unique=True))
    numbers = st.floats(0, 1e30, allow_nan=False)
    values = (
        np.array(
            data.draw(st.lists(numbers, min_size=genes * types, max_size=genes * types))
        ).reshape(genes, types)
        + 1e-300
    )
    dtype = np.float32 if single else np.float64
    weights = np.array(
        data.draw(
            st.lists(
                st.floats(0, 2.0**99, width=32 if single else 64), min_size=genes, max_size=genes
            )
        ),
        dtype=dtype,
    )
    weights[0] = 1
    scale = data.draw(st.none() | st.floats(1e-3, 1e9))
    result = as_result(
        pd.DataFrame(values, index=labels[:genes], columns=labels[genes:]),
        pd.Series(weights, index=labels[:genes], name="gene weights"),
        scale=scale,
        params=DTDParams(seed=7),
    )
    again = read_model(model_bytes(result))
    pd.testing.assert_frame_equal(again.reference, result.reference, check_exact=True)
    pd.testing.assert_series_equal(again.gene_weights, result.gene_weights, check_exact=True)
    assert again.gene_weights.dtype == dtype, "ADTD's numbers depend on it"
    assert again.scale == scale
    assert again.params == result.params


def test_same_run_gives_the_same_bytes(trained):
    assert model_bytes(trained) == model_bytes(trained)


def test_applied_model_gives_the_same_composition(dataset, trained, recorder):
    from gui.engine.params import ADTDParams, ApplyParams
    from gui.engine.tasks import run_adtd, run_apply

    again = read_model(model_bytes(trained))
    applied = run_apply(dataset, ApplyParams(), progress=recorder(), dtd=again)
    pd.testing.assert_frame_equal(applied.composition, trained.composition["bulk"], rtol=1e-12)
    one, other = (
        run_adtd(dataset, ADTDParams(model="h,r"), progress=recorder(), dtd=d)
        for d in (trained, again)
    )
    assert one.gene_regulation.equals(other.gene_regulation)


def content(trained) -> dict:
    return json.loads(gzip.decompress(model_bytes(trained)))


def packed(value: object) -> bytes:
    return gzip.compress(json.dumps(value).encode())


def test_control_an_unchanged_copy_is_read(trained):
    assert read_model(packed(content(trained))).reference.equals(trained.reference)


CHANGES = {
    "another kind": {"format": "other"},
    "schema is text": {"schema": "1"},
    "schema is true": {"schema": True},
    "newer": {"schema": 2},
    "no genes": {"genes": []},
    "gene names are numbers": {"genes": list(range(50))},
    "a gene twice": {"genes": ["G1"] * 50},
    "too few genes": {"genes": ["a", "b"]},
    "a type more": {"types": ["a", "b", "c", "d", "e"]},
    "types are no list": {"types": "abcd"},
    "reference is a number": {"reference": 3},
    "reference of another length": {"reference": [[1.0]] * 4},
    "reference negative": {"reference": [[-1.0] * 50] * 4},
    "reference zero": {"reference": [[0.0] * 50] * 4},
    "reference of text": {"reference": [["1"] * 50] * 4},
    "reference of truths": {"reference": [[True] * 50] * 4},
    "weights too large for float32": {"weights": [1e300] * 50},
    "weights zero": {"weights": [0] * 50},
    "weights huge whole numbers": {"weights": [10**400] * 50},
    "dtype": {"weights_dtype": "object"},
    "scale zero": {"scale": 0},
    "scale text": {"scale": "10000"},
    "scale huge": {"scale": 10**400},
    "unknown parameter": {"params": {"genes": 5, "evil": 1}},
    "parameter of another kind": {"params": {"genes": "; rm"}},
    "params is a list": {"params": [1]},
    "a key more": {"evil": 1},
    "long name": {"types": ["a", "b", "c", "d" * 5000]},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_changed_content_is_refused(trained, change):
    with pytest.raises(UnreadableFile):
        read_model(packed(content(trained) | change))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x1f\x8b",
        b"not a model",
        b"\x80\x04\x95",
        gz(b""),
        gz(b"[1, 2"),
        gz(b"[]"),
        gz(b"null"),
        gz(b"\xff\xfe"),
        gz(b"[" * 100_000),
        gz(b'{"format": NaN}'),
        gz(b'{"format": "a", "format": "b"}'),
        gz(b"1" * 10_000),
    ],
)
def test_what_is_no_model_is_refused(data):
    with pytest.raises(UnreadableFile):
        read_model(data)


def test_nan_in_the_numbers_is_refused(trained):
    text = gzip.decompress(model_bytes(trained)).decode()
    first = json.loads(text)["weights"][0]
    for word in ("NaN", "Infinity", "1e999"):
        with pytest.raises(UnreadableFile):
            read_model(
                gzip.compress(text.replace(f'"weights":[{first!r}', f'"weights":[{word}').encode())
            )


def test_truncated_extended_and_flipped_files_never_crash(trained):
    data = model_bytes(trained)
    for end in range(0, len(data), 97):
        with pytest.raises(UnreadableFile):
            read_model(data[:end])
    with pytest.raises(UnreadableFile):
        read_model(data + b"more")
    # the first ten bytes hold time and system, which do not matter
    for at in range(10, len(data), 53):
        with pytest.raises(UnreadableFile):
            read_model(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])


def test_bombs_are_refused_by_their_size(monkeypatch):
    with pytest.raises(UnsafeFile, match="unpacks"):
        read_model(gz(b" " * (model.MAX_CONTENT + 1), compresslevel=1))
    with pytest.raises(UnsafeFile, match="nested"):
        read_model(gz(b"[" + b"[]," * model.MAX_NESTED + b"[]]"))
    with pytest.raises(UnsafeFile, match="larger"):
        read_model(b"\x1f\x8b" + bytes(model.MAX_FILE))


@pytest.mark.parametrize("key", ["genes", "types", "weights", "reference", "params", "scale", "x"])
@pytest.mark.parametrize("unit", [b"1.5,", b'"a\\u0101",'])
def test_a_list_of_millions_takes_little_more_than_its_text(trained, key, unit):
    """Positive control: Python's own parser takes much more."""
    raw = b"[" + unit * (4_000_000 // len(unit)) + unit[:-1] + b"]"
    text = (
        json.dumps(content(trained) | {key: None})
        .encode()
        .replace(
            b'"%s": null' % key.encode(),
            b'"%s": ' % key.encode() + (b"[" + raw + b"]" if key == "reference" else raw),
        )
    )
    data = gzip.compress(text, 1)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile):
            read_model(data)
        assert tracemalloc.get_traced_memory()[1] < 5 * len(text) + 2**25
        if key == "x" and unit == b"1.5,":
            tracemalloc.reset_peak()
            json.loads(text)
            assert tracemalloc.get_traced_memory()[1] > 7 * len(text)
    finally:
        tracemalloc.stop()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda x: st.lists(x, max_size=4),
        max_leaves=8,
    ),
    key=st.sampled_from(sorted(model._KEYS)),
)
def test_any_value_under_any_key_is_read_or_refused(trained, value, key):
    with contextlib.suppress(DeconomixError):  # every other exception is a failure
        read_model(packed(content(trained) | {key: value}))


def test_a_loaded_model_is_a_run_that_a_session_keeps():
    genes, types = pd.Index(["a", "b", "c"]), pd.Index(["x", "y"])
    loaded = read_model(
        model_bytes(
            as_result(
                pd.DataFrame(np.ones((3, 2)), genes, types),
                pd.Series(1.0, genes),
                params=DTDParams(),
            )
        )
    )
    made = Provenance("", "")
    check_run(Run("m", "dtd", "Trained model", datetime.now(UTC), DTDParams(), loaded, made))
