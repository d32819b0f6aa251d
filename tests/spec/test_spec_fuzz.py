"""Whatever a file says, it is read or refused with the one error that is ours."""

import copy
import math
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spec_samples import DRUG, HELPER, MODEL, SCENARIO, SPECIES

from myelosim.errors import SpecError
from myelosim.spec import load_scenario
from myelosim.spec.compose import compose
from myelosim.spec.document import Findings, Table
from myelosim.spec.load import read_model

JUNK = st.sampled_from(
    [None, 3, -1, 0, 0.5, math.nan, math.inf, True, "", "x", "3 mg", "90 h", [], [1], ["x"], [[1]], {}, {"x": 1}, [{}],
     {"value": 1}, {"kind": "x"}, {"value": "1", "unit": 3}, "none", "table", 10**400, -1e308, 1e300, 1e-300, 3.0, "a\0b", "a\nb",
     "d1", [{"name": "x"}]]
)  # fmt: skip


def paths(value, path=()):
    """Return the path of every node below the root."""
    out = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        out += [(*path, key), *paths(inner, (*path, key))]
    return out


def spoiled(draw, text, times=2):
    data = copy.deepcopy(tomllib.loads(text))
    for _ in range(draw(st.integers(1, times))):
        known = paths(data)
        if not known:
            break
        *above, last = draw(st.sampled_from(known))
        holder = data
        for key in above:
            holder = holder[key]
        junk = copy.deepcopy(draw(JUNK))
        if junk is None:
            del holder[last]
        elif isinstance(holder, dict) and draw(st.booleans()):
            holder[
                draw(st.sampled_from(["x", "kind", "unit", "species", "variant", "rule", "start", "effect", "blood"]))
            ] = junk
        else:
            holder[last] = junk
    return data


def table(data, name):
    return Table(data, (), Findings(name))


SETTINGS = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


def only_ours(call):
    try:
        call()
    except SpecError as error:
        assert str(error).strip()


@SETTINGS
@given(st.data())
def test_models(data):
    spoilt = spoiled(data.draw, MODEL)
    only_ours(lambda: read_model(table(spoilt, "model"), "model", ["human"]))


@SETTINGS
@given(st.data(), st.sampled_from([None, "block", "island"]))
def test_compositions(data, variant):
    species, drug, helper = (spoiled(data.draw, text) for text in (SPECIES, DRUG, HELPER))
    drugs = [("abc", table(drug, "drug")), ("helper", table(helper, "helper"))]
    only_ours(lambda: compose(drugs, ("monkey", table(species, "species")), variant, "helper", None))


@SETTINGS
@given(st.data())
def test_scenarios(samples, data):
    extra = SCENARIO + (
        'size = 3\nset = { "abc.cl" = "3 L/h" }\nstart = { neutrophil = 3 }\ncovariates = { weight = 70 }\n'
        '[arm.concentration.abc]\ntimes = [0, 1]\nvalues = [0, 1]\ninterpolation = "next"\n'
        '[recommend]\ndraws = [2]\ncandidates = "d1 weekly"\n'
    )
    spoilt = spoiled(data.draw, extra)
    only_ours(lambda: load_scenario(spoilt))


@pytest.mark.parametrize("text", ["", "x", "[", "a = ", "[[a]]\n[a]", "a.b = 1\na = 2", '"""', "\x00"])
def test_no_toml_at_all(samples, text):
    (samples / "scenarios" / "bad.toml").write_text(text)
    with pytest.raises(SpecError, match=r"scenarios/bad\.toml: "):
        load_scenario("bad")
