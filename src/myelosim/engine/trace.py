"""Symbolic values that record what a component computes.

A component is called once with :class:`Node` arguments; what it did is then a graph of elementary operations, shared
sub-expressions stored once. From the graph the engine emits straight-line source, lifts whatever depends on parameters alone
out of the right-hand side, and forms exact derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x: -x,
    "exp": math.exp,
    "log": math.log,
    "power": lambda x, y: x**y,
    "minimum": min,
    "maximum": max,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
}

ON_ARRAYS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "exp": np.exp,
    "log": np.log,
    "power": np.power,
    "lt": np.less,
    "le": np.less_equal,
    "where": np.where,
}


class Node:
    """One operation on the tape. Supports the arithmetic a component may use, and refuses to be a condition."""

    __slots__ = ("args", "index", "op", "tape", "value", "varying")

    def __init__(self, tape: Tape, index: int, op: str, args: tuple[Node, ...], value: Any, varying: bool) -> None:
        self.tape, self.index, self.op, self.args, self.value, self.varying = tape, index, op, args, value, varying

    def __add__(self, other: Any) -> Node:
        return self.tape.apply("add", self, other)

    def __radd__(self, other: Any) -> Node:
        return self.tape.apply("add", other, self)

    def __sub__(self, other: Any) -> Node:
        return self.tape.apply("sub", self, other)

    def __rsub__(self, other: Any) -> Node:
        return self.tape.apply("sub", other, self)

    def __mul__(self, other: Any) -> Node:
        return self.tape.apply("mul", self, other)

    def __rmul__(self, other: Any) -> Node:
        return self.tape.apply("mul", other, self)

    def __truediv__(self, other: Any) -> Node:
        return self.tape.apply("div", self, other)

    def __rtruediv__(self, other: Any) -> Node:
        return self.tape.apply("div", other, self)

    def __neg__(self) -> Node:
        return self.tape.apply("neg", self)

    def __pos__(self) -> Node:
        return self

    def __lt__(self, other: Any) -> Node:
        return self.tape.apply("lt", self, other)

    def __le__(self, other: Any) -> Node:
        return self.tape.apply("le", self, other)

    def __gt__(self, other: Any) -> Node:
        return self.tape.apply("lt", other, self)

    def __ge__(self, other: Any) -> Node:
        return self.tape.apply("le", other, self)

    def __bool__(self) -> bool:
        raise TypeError("a component may not branch on a state or a parameter: use where()")

    @staticmethod
    def arithmetic_exp(x: Node) -> Node:
        return x.tape.apply("exp", x)

    @staticmethod
    def arithmetic_log(x: Node) -> Node:
        return x.tape.apply("log", x)

    @staticmethod
    def arithmetic_power(x: Any, y: Any) -> Node:
        tape = x.tape if isinstance(x, Node) else y.tape
        return tape.apply("power", x, y)

    @staticmethod
    def arithmetic_where(condition: Any, x: Any, y: Any) -> Any:
        if isinstance(condition, bool):
            return x if condition else y
        return condition.tape.apply("where", condition, x, y)


class Tape:
    """The operations of one program, each stored once."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._known: dict[tuple[Any, ...], Node] = {}

    def leaf(self, op: str, value: Any, varying: bool) -> Node:
        """Return an input: ``op`` is the array it is read from, ``value`` its row."""
        return self._store(op, (), value, varying)

    def constant(self, value: float) -> Node:
        """Return a number."""
        return self._store("const", (), float(value), False)

    def apply(self, op: str, *operands: Any) -> Node:
        """Record an operation, folding what is already known."""
        args = tuple(x if isinstance(x, Node) else self.constant(x) for x in operands)
        simple = self._simplify(op, args)
        if simple is not None:
            return simple
        return self._store(op, args, None, any(x.varying for x in args))

    def _store(self, op: str, args: tuple[Node, ...], value: Any, varying: bool) -> Node:
        key = (op, *(x.index for x in args), repr(value))
        node = self._known.get(key)
        if node is None:
            node = Node(self, len(self.nodes), op, args, value, varying)
            self.nodes.append(node)
            self._known[key] = node
        return node

    def _simplify(self, op: str, args: tuple[Node, ...]) -> Node | None:
        values = [x.value if x.op == "const" else None for x in args]
        if op in OPERATORS and all(v is not None for v in values):
            return self.constant(OPERATORS[op](*values))
        if op == "where":
            if args[1] is args[2]:
                return args[1]
            return None if values[0] is None else args[1 if values[0] else 2]
        if op == "neg":
            return args[0].args[0] if args[0].op == "neg" else None
        if len(args) < 2:
            return None
        return self._identity(op, args, values)

    def _identity(self, op: str, args: tuple[Node, ...], values: list[Any]) -> Node | None:
        (x, y), (vx, vy) = args, values
        if op == "add":
            return y if vx == 0 else x if vy == 0 else None
        if op == "sub":
            return x if vy == 0 else self.apply("neg", y) if vx == 0 else self.constant(0) if x is y else None
        if op == "mul":
            if vx == 0 or vy == 0:
                return self.constant(0)
            return y if vx == 1 else x if vy == 1 else None
        if op == "div":
            if vx == 0:
                return x
            return x if vy == 1 else self.constant(1) if x is y else None
        if op == "power":
            if vy == 0:
                return self.constant(1)
            return x if vy == 1 else self.apply("mul", x, x) if vy == 2 else None
        return None


def gradient(outputs: Iterable[Node], leaf: Node) -> list[Node]:
    """Return the derivative of each output with respect to one leaf, as nodes on the same tape."""
    tape = leaf.tape
    known: dict[int, Node] = {leaf.index: tape.constant(1)}
    zero = tape.constant(0)

    def derivative(node: Node) -> Node:
        found = known.get(node.index)
        if found is None:
            found = _chain(node, [derivative(x) for x in node.args]) if node.args else zero
            known[node.index] = found
        return found

    return [derivative(node) for node in outputs]


def _chain(node: Node, d: list[Node]) -> Node:
    apply, x = node.tape.apply, node.args
    zero = node.tape.constant(0)
    if all(each is zero for each in d):
        return zero
    if node.op in ("add", "sub", "neg"):
        return apply(node.op, *d)
    if node.op == "mul":
        return d[0] * x[1] + x[0] * d[1]
    if node.op == "div":
        return (d[0] - node * d[1]) / x[1]
    if node.op == "exp":
        return node * d[0]
    if node.op == "log":
        return d[0] / x[0]
    if node.op == "power":
        log = apply("log", x[0]) * node * d[1] if d[1] is not zero else zero
        return x[1] * apply("power", x[0], x[1] - 1.0) * d[0] + log
    if node.op == "where":
        return apply("where", x[0], d[1], d[2])
    if node.op in ("lt", "le"):
        return zero
    raise NotImplementedError(node.op)


class Program:
    """Nodes as a list of NumPy operations, each done once; arrays are broadcast as they come.

    Parameters
    ----------
    outputs : mapping
        What is wanted, by any name.

    Examples
    --------
    >>> tape = Tape()
    >>> x, y = tape.leaf("x", 0, True), tape.leaf("y", 0, True)
    >>> Program({"square": x * x, "sum": x + y})({"x": np.arange(3.0), "y": 1.0})
    {'square': array([0., 1., 4.]), 'sum': array([1., 2., 3.])}
    """

    def __init__(self, outputs: Mapping[Any, Node]) -> None:
        self.outputs = {name: node.index for name, node in outputs.items()}
        needed: dict[int, Node] = {}
        waiting = list(outputs.values())
        while waiting:
            node = waiting.pop()
            if node.index not in needed:
                needed[node.index] = node
                waiting.extend(node.args)
        ordered = [needed[index] for index in sorted(needed)]
        self.constants = {node.index: node.value for node in ordered if node.op == "const"}
        self.leaves = [(node.index, node.op) for node in ordered if not node.args and node.op != "const"]
        self.steps = [(node.index, *_on_arrays(node)) for node in ordered if node.args]

    def __call__(self, leaves: Mapping[str, Any]) -> dict[Any, Any]:
        """Return the outputs, given each leaf's value."""
        values: dict[int, Any] = dict(self.constants)
        for index, name in self.leaves:
            values[index] = leaves[name]
        for index, function, args in self.steps:
            values[index] = function(*[values[one] for one in args])
        return {name: values[index] for name, index in self.outputs.items()}


def _on_arrays(node: Node) -> tuple[Callable[..., Any], tuple[int, ...]]:
    args = tuple(one.index for one in node.args)
    if node.op == "power" and node.args[1].value == 0.5:
        return np.sqrt, args[:1]
    return ON_ARRAYS[node.op], args
