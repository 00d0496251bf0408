"""A field named twice is found wherever it stands, and nothing else is taken for one."""

from __future__ import annotations

import json
import random

from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.json_names import repeats_a_name

NAMES = st.text(max_size=4) | st.sampled_from([':"', '\\":', "a:b", '"', "\\"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(JSON, st.booleans(), st.sampled_from([None, 1]))
def test_no_value_repeats_a_name(value, ascii_only, indent):
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert not repeats_a_name(body, json.loads(body))


def written(value: object, chance: random.Random) -> str:
    """The JSON text of a value in which one object names one of its fields twice."""
    if isinstance(value, dict):
        pairs = [f"{json.dumps(name)}: {json.dumps(item)}" for name, item in value.items()]
        again = chance.choice(list(value))
        pairs.insert(chance.randrange(len(pairs) + 1), f"{json.dumps(again)} :{json.dumps(chance.random())}")
        return "{" + ",".join(pairs) + "}"
    raise AssertionError


@given(
    st.dictionaries(NAMES, JSON, min_size=1, max_size=4), st.integers(0, 3), st.randoms(use_true_random=False)
)
def test_a_name_that_stands_twice_at_any_depth_is_found(value, depth, chance):
    text = written(value, chance)
    for _ in range(depth):
        text = chance.choice([f"[1,{text}]", f'{{"x:": {text}}}'])
    assert repeats_a_name(text.encode(), json.loads(text))
