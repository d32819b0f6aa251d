"""Recorded operations: folding, derivatives, and what a component may not do."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest

from myelosim import arithmetic
from myelosim.components import delays, effects, lineages, pk
from myelosim.components.contract import Values
from myelosim.engine.trace import Tape, gradient

OPERATIONS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "exp": cmath.exp,
    "log": cmath.log,
    "power": lambda x, y: x**y,
    "lt": lambda x, y: x.real < y.real,
    "le": lambda x, y: x.real <= y.real,
    "where": lambda condition, x, y: x if condition else y,
}
BASE = {"log": 0.7, "logit": 0.4, "identity": 0.5}
STEP = 1e-30


def evaluated(tape, inputs):
    """Return the value of every node of a tape."""
    values = []
    for node in tape.nodes:
        if node.op == "const":
            values.append(complex(node.value))
        elif not node.args:
            values.append(complex(inputs[node.value]))
        else:
            values.append(OPERATIONS[node.op](*(values[x.index] for x in node.args)))
    return values


def compared(function, inputs):
    """Check values and all derivatives of a function of several inputs against a complex step."""
    tape = Tape()
    leaves = [tape.leaf("Y", i, True) for i in range(len(inputs))]
    outputs = [x if hasattr(x, "tape") else tape.constant(x) for x in function(*leaves)]
    rows = [gradient(outputs, leaf) for leaf in leaves]
    values = evaluated(tape, inputs)
    np.testing.assert_allclose([values[o.index].real for o in outputs], function(*inputs), rtol=1e-13)
    for i, row in enumerate(rows):
        moved = [complex(x, STEP * (i == j)) for j, x in enumerate(inputs)]
        step = [complex(d).imag / STEP for d in function(*moved)]
        np.testing.assert_allclose(
            [values[d.index].real for d in row], step, rtol=1e-11, atol=1e-13 * (1 + max(map(abs, step)))
        )


def varied_values(declared, shift=0):
    """Return plausible, all different values of what a component declares."""
    named = {d.name: (BASE[d.scale] if d.default is None or d.default > 1e6 else d.default) for d in declared}
    return {name: value * (1 + 0.03 * (i + shift)) if value else 0.1 for i, (name, value) in enumerate(named.items())}


def structures(module):
    """Return the structures a component can take, few of each numeric option."""
    found = [dict(module.DEFAULTS)]
    for option, allowed in module.STRUCTURE.items():
        some = (2, 3) if isinstance(allowed, range) else allowed
        found = [{**one, option: choice} for one in found for choice in some]
    return found


FAMILIES = [(name, module, s) for name, module in lineages.KINDS.items() for s in structures(module)]


@pytest.mark.parametrize(
    "name, module, structure", FAMILIES, ids=[f"{n}-{'-'.join(map(str, s.values()))}" for n, _, s in FAMILIES]
)
def test_derivatives_of_lineages(name, module, structure):
    p = varied_values(module.parameters(structure))
    sites = {name: 0.8 + 0.05 * i for i, name in enumerate(module.SITES)}
    states = [float(v) * (0.7 + 0.06 * i) for i, v in enumerate(module.start(Values(**p), structure))]
    n, m = len(states), len(p)

    def function(*inputs):
        own = Values(**dict(zip(p, inputs[n : n + m], strict=True)))
        site = Values(**dict(zip(sites, inputs[n + m :], strict=True)))
        return [*module.rhs(inputs[:n], own, site, structure), *module.observe(inputs[:n], own, structure)]

    compared(function, [*states, *p.values(), *sites.values()])


@pytest.mark.parametrize("name", [n for n, module in pk.KINDS.items() if hasattr(module, "rhs")])
def test_derivatives_of_kinetics(name):
    module = pk.KINDS[name]
    for structure in structures(module):
        p = varied_values(module.parameters(structure))
        states = [0.5 + 0.2 * i for i, _ in enumerate(module.states(structure))]
        n = len(states)

        def function(*inputs, module=module, structure=structure, p=p, n=n):
            own, count = Values(**dict(zip(p, inputs[n:-1], strict=True))), inputs[-1]
            return [
                *module.rhs(inputs[:n], own, count, structure),
                module.concentration(inputs[:n], own, count, structure),
                module.signal(inputs[:n], own, count, structure),
            ]

        compared(function, [*states, *p.values(), 3.1])


@pytest.mark.parametrize("delay", delays.KINDS)
@pytest.mark.parametrize("name", effects.KINDS)
def test_derivatives_of_effects(name, delay):
    kind, wait = effects.KINDS[name], delays.KINDS[delay]
    stateful = hasattr(kind, "states")
    declared = (*kind.PARAMETERS, *(() if stateful else wait.PARAMETERS))
    p, module = varied_values(declared), kind if stateful else wait
    n = len(module.states())

    def function(c, *inputs):
        x, own = inputs[:n], Values(**dict(zip(p, inputs[n:], strict=True)))
        if stateful:
            return [*kind.rhs(x, c, own), kind.effect(x, c, own)]
        return [
            *wait.rhs(x, c, own, lambda c: kind.effect(c, own)),
            wait.effect(x, c, own, lambda c: kind.effect(c, own)),
        ]

    compared(function, [0.9, *(0.3 for _ in range(n)), *p.values()])


def test_every_function_of_arithmetic_has_its_derivative():
    def function(x, y):
        return [
            arithmetic.exp(x * y), arithmetic.log(x / y), arithmetic.power(x, y), arithmetic.power(x, 2), arithmetic.power(2.5, y),
            arithmetic.minimum(x * x, y), arithmetic.maximum(x * x, y), arithmetic.minimum(x, 9.0), -(0 - x), 1 - x, 3 / y, y + 0,
        ]  # fmt: skip

    compared(function, [0.8, 1.7])


def test_what_is_known_is_not_recorded():
    tape = Tape()
    x = tape.leaf("C", 0, False)
    sums = [x + 0, 0 + x, x - 0, -(0 - x), +x]
    products = [x * 1, 1 * x, x / 1, arithmetic.power(x, 1), arithmetic.where(x < 1, x, x)]
    assert all(node is x for node in [*sums, *products])
    assert [node.value for node in (x * 0, 0 * x, 0 / x, x - x)] == [0.0] * 4
    assert [node.value for node in (x / x, arithmetic.power(x, 0))] == [1.0] * 2
    two, three = tape.constant(2), tape.constant(3)
    assert (two * three + 1).value == 7.0
    assert arithmetic.exp(two).value == math.exp(2) and arithmetic.log(two).value == math.log(2)
    assert arithmetic.minimum(two, 3.0).value == 2.0 and arithmetic.maximum(two, 3.0).value == 3.0


def test_what_is_said_twice_is_computed_once():
    tape = Tape()
    x, y = tape.leaf("Y", 0, True), tape.leaf("C", 0, False)
    assert x * y + 1 is x * y + 1
    size = len(tape.nodes)
    assert x * y + 1 is x * y + 1 and len(tape.nodes) == size
    assert (x * y).varying and not (y * y).varying


@pytest.mark.parametrize(
    "branch", [lambda x: x if x > 1 else -x, lambda x: max(x, 1.0), lambda x: bool(x), lambda x: 1 < x < 2]
)
def test_a_branch_on_a_value_is_refused(branch):
    tape = Tape()
    with pytest.raises(TypeError, match=r"where\(\)"):
        branch(tape.leaf("Y", 0, True))


@pytest.mark.parametrize("foreign", [math.exp, np.exp, float, lambda x: abs(x), lambda x: x**2])
def test_a_function_that_cannot_be_recorded_is_refused(foreign):
    with pytest.raises(TypeError):
        foreign(Tape().leaf("Y", 0, True))
