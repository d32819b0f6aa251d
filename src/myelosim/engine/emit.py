"""From traced equations to the text of a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from myelosim.components import pk
from myelosim.engine import block as equations
from myelosim.engine import stepper, stiff
from myelosim.engine.block import TABLE, Block
from myelosim.engine.trace import Node, Tape, gradient

KERNEL = Path(__file__).parent / "kernel"
INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "lt": "<", "le": "<="}


@dataclass(frozen=True)
class Layout:
    """Where things are in the arrays a program receives. Rows of ``P`` follow one another in the order of the fields."""

    parameters: tuple[str, ...]
    rates: tuple[tuple[str, int], ...]  # drug, mode
    weights: tuple[tuple[str, str, int], ...]  # drug, channel, mode
    states: int

    @property
    def rate(self) -> int:
        """First row of the decay rates."""
        return len(self.parameters)

    @property
    def weight(self) -> int:
        """First row of the weights."""
        return self.rate + len(self.rates)

    @property
    def floor(self) -> int:
        """First row of the absolute floors."""
        return self.weight + len(self.weights)

    @property
    def start(self) -> int:
        """First row of the states' start."""
        return self.floor + self.states

    @property
    def rows(self) -> int:
        """Rows of ``P``."""
        return self.start + self.states


def layout(block: Block) -> Layout:
    """Return where a block's inputs go."""
    rates, weights = [], []
    for drug in block.exposures:
        if drug.kind == TABLE:
            continue
        module = pk.KINDS[drug.kind]
        modes = mode_count(drug.kind, drug.structure)
        rates += [(drug.name, m) for m in range(modes)]
        weights += [(drug.name, channel, m) for channel in module.channels(drug.structure) for m in range(modes)]
    return Layout(equations.declared(block), tuple(rates), tuple(weights), block.states)


def mode_count(kind: str, structure: Any) -> int:
    """Return the number of modes of a closed-form PK."""
    module = pk.KINDS[kind]
    names = [d.name for d in module.parameters(structure)]
    any_values = equations.values("p", names, {f"p.{name}": 1.0 + 0.1 * i for i, name in enumerate(names)})
    return len(module.modes(any_values, structure)[0])


class Program:
    """Text of the program of one block."""

    def __init__(self, block: Block, method: Any) -> None:
        self.block, self.layout = block, layout(block)
        self.tape = Tape()
        self.p = {name: self.tape.leaf("C", i, False) for i, name in enumerate(self.layout.parameters)}
        self.y = [self.tape.leaf("Y", i, True) for i in range(self.layout.states)]
        self.x = [self.tape.leaf("X", i, True) for i in range(len(block.exposures) + len(block.inputs))]
        exposures = {drug.name: self.x[i] for i, drug in enumerate(block.exposures)}
        self.rhs = [self.node(d) for d in equations.rhs(block, self.y, exposures, self.x[len(exposures) :], self.p)]
        self.hoisted: dict[int, int] = {}
        functions = [
            self._function("rhs", "C, Y, X, D", [("D", f"{i}", d) for i, d in enumerate(self.rhs)]),
            self._observe(),
            self._carry(),
            self._expose(),
        ]
        stepping, scratch = method(self)
        self.text = "\n\n\n".join([self._numbers(scratch), self._constants(), *functions, stepping])

    def node(self, value: Any) -> Node:
        """Return a value as a node."""
        return value if isinstance(value, Node) else self.tape.constant(value)

    def jacobian(self) -> tuple[list[list[Node]], list[list[Node]]]:
        """Return the derivatives of the right-hand side by states and by exposures, as rows."""
        by_state = [gradient(self.rhs, leaf) for leaf in self.y]
        by_exposure = [gradient(self.rhs, leaf) for leaf in self.x]
        n = range(len(self.rhs))
        return [[column[i] for column in by_state] for i in n], [[column[i] for column in by_exposure] for i in n]

    def _observe(self) -> str:
        exposures = {drug.name: self.x[i] for i, drug in enumerate(self.block.exposures)}
        outputs = [self.node(o) for o in equations.observe(self.block, self.y, exposures, self.p)]
        return self._function("observe", "C, Y, X, O, row", [("O", f"(row + {i})", o) for i, o in enumerate(outputs)])

    def _carry(self) -> str:
        after = [self.node(v) for v in equations.carry(self.block, self.y, self.p)]
        changed = [("Y", f"{i}", v) for i, v in enumerate(after) if v is not self.y[i]]
        return self._function("carry", "C, Y", changed)

    def _expose(self) -> str:
        lines, now = [], []
        drugs = len(self.block.exposures)
        for d, drug in enumerate(self.block.exposures):
            modes = [m for m, (name, _) in enumerate(self.layout.rates) if name == drug.name]
            slope = f" + load(S, {drugs + d} * WIDTH) * h" if drug.kind == TABLE else ""
            decayed = "".join(f" + load(A, {m} * WIDTH) * load(T, (row + {m}) * WIDTH)" for m in modes)
            lines.append(f"    store(X, {d} * WIDTH, load(S, {d} * WIDTH){slope}{decayed})")
            now.append(
                f"    store(X, {d} * WIDTH, load(S, {d} * WIDTH){''.join(f' + load(A, {m} * WIDTH)' for m in modes)})"
            )
        copies = [
            f"    store(X, {drugs + i} * WIDTH, load(S, {2 * drugs + i} * WIDTH))"
            for i in range(len(self.block.inputs))
        ]
        body = "\n".join([*lines, *copies]) or "    pass"
        body_now = "\n".join([*now, *copies]) or "    pass"
        return (
            f"@njit(**INNER)\ndef expose(A, S, T, row, h, X):\n{body}\n\n\n"
            f"@njit(**INNER)\ndef expose_now(A, S, X):\n{body_now}"
        )

    def change(self, nodes: Sequence[Node]) -> str:
        """Return the function that writes how the derivatives change with time alone, through the exposures."""
        lines = ["@njit(**INNER)", "def change(C, Y, A, S, X, D):"]
        drugs = len(self.block.exposures)
        for d, drug in enumerate(self.block.exposures):
            modes = [m for m, (name, _) in enumerate(self.layout.rates) if name == drug.name]
            decayed = "".join(f" - load(C, {self.layout.rate + m} * WIDTH) * load(A, {m} * WIDTH)" for m in modes)
            lines.append(f"    u{d} = load(S, {drugs + d} * WIDTH){decayed}")
        lines += [f"    u{drugs + i} = splat(0.0)" for i in range(len(self.block.inputs))]
        body = self.body(nodes)
        lines += [f"    {line}" for line in body.lines]
        lines += [f"    store(D, {i} * WIDTH, {text})" for i, text in enumerate(body.results)]
        return "\n".join(lines)

    def areas(self) -> str:
        """Return an ``attempt`` that carries the areas under the exposures exactly."""
        lines = ["@njit(**INNER)", "def attempt(work, size, h, rtol):", "    C, Y, F, Z, G, A, S, T, K, X = work[:10]"]
        drugs = len(self.block.exposures)
        for d, drug in enumerate(self.block.exposures):
            lines.append(
                f"    z = load(Y, {d} * WIDTH) + h * (load(S, {d} * WIDTH) + 0.5 * h * load(S, {drugs + d} * WIDTH))"
            )
            lines += [
                f"    z = z + load(A, {m} * WIDTH) * (1.0 - load(T, (size * MODES + {m}) * WIDTH)) "
                f"/ load(C, {self.layout.rate + m} * WIDTH)"
                for m, (name, _) in enumerate(self.layout.rates)
                if name == drug.name
            ]
            lines.append(f"    store(Z, {d} * WIDTH, z)")
        return "\n".join([*lines, "    return True, True"])

    def _numbers(self, scratch: int) -> str:
        block, lay = self.block, self.layout
        channels = list(dict.fromkeys((drug, channel) for drug, channel, _ in lay.weights))
        names = [drug.name for drug in block.exposures]
        rates = [drug for drug, _ in lay.rates]
        weights = [(drug, channel) for drug, channel, _ in lay.weights]
        lines = {
            "STATES": lay.states,
            "MODES": len(lay.rates),
            "DRUGS": len(names),
            "INPUTS": len(block.inputs),
            "COUNTS": len(block.lineages),
            "WATCHED": bool(block.lineages),
            "OUTPUTS": len(block.outputs),
            "PARAMETERS": lay.rows,
            "CONSTANTS": lay.rows + len(self.hoisted),
            "SCRATCH": scratch,
            "START": lay.start,
            "RATE": lay.rate,
            "CHANNEL_DRUG": tuple(names.index(d) for d, _ in channels) or (0,),
            "CHANNEL_MODE": tuple(rates.index(d) for d, _ in channels) or (0,),
            "CHANNEL_MODES": tuple(rates.count(d) for d, _ in channels) or (0,),
            "CHANNEL_WEIGHT": tuple(lay.weight + weights.index(c) for c in channels) or (0,),
        }
        # no name of a drug or lineage: the same equations are the same program, whatever they are called
        labels = ", ".join(label for part in block.parts for label in part.labels) or "areas"
        return "\n".join([f"# states: {labels}", *(f"{name} = {value!r}" for name, value in lines.items())])

    def _constants(self) -> str:
        lines = [
            "@njit(**INNER)",
            "def constants(P, n, g, C):",
            "    for i in range(PARAMETERS):",
            "        store(C, i * WIDTH, load(P, i * n + g))",
        ]
        for index, row in self.hoisted.items():
            node = self.tape.nodes[index]
            operands = [self._operand(x) for x in node.args]
            lines.append(f"    store(C, {row} * WIDTH, {_expression(node.op, operands)})")
        return "\n".join(lines)

    def _operand(self, node: Node) -> str:
        if node.op == "const":
            return repr(node.value)
        row = node.value if node.op == "C" else self.hoist(node)
        return f"load(C, {row} * WIDTH)"

    def hoist(self, node: Node) -> int:
        """Return the row of a value that depends on parameters alone, computing it once per group."""
        if node.op == "C":
            return int(node.value)
        if node.index not in self.hoisted:
            for x in node.args:
                if x.op not in ("const", "C"):
                    self.hoist(x)
            self.hoisted[node.index] = self.layout.rows + len(self.hoisted)
        return self.hoisted[node.index]

    def _function(self, name: str, arguments: str, targets: Sequence[tuple[str, str, Node]]) -> str:
        lines = [f"@njit(**INNER)\ndef {name}({arguments}):"]
        body = self.body([node for _, _, node in targets])
        lines += [f"    {line}" for line in body.lines]
        lines += [
            f"    store({array}, {row} * WIDTH, {text})"
            for (array, row, _), text in zip(targets, body.results, strict=True)
        ]
        return "\n".join(lines if len(lines) > 1 else [*lines, "    pass"])

    def body(self, nodes: Sequence[Node]) -> _Body:
        """Return straight-line statements computing some nodes."""
        return _Body(self, nodes)


class _Body:
    """Straight-line statements: what is used more than once gets a name, the rest stays in its expression."""

    def __init__(self, program: Program, nodes: Sequence[Node]) -> None:
        self.program = program
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.uses: dict[int, int] = {}
        for node in nodes:
            self._count(node)
        self.results = [self._text(node) for node in nodes]

    def _count(self, node: Node) -> None:
        seen = self.uses.get(node.index, 0)
        self.uses[node.index] = seen + 1
        if not seen and node.varying:
            for x in self._parts(node):
                self._count(x)

    def _parts(self, node: Node) -> tuple[Node, ...]:
        if node.op == "div" and not node.args[1].varying and node.args[1].op != "const":
            tape = node.tape
            return node.args[0], tape.apply("div", 1.0, node.args[1])
        return node.args

    def _text(self, node: Node) -> str:
        if node.op == "const":
            return repr(float(node.value))
        if node.index in self.names:
            return self.names[node.index]
        if node.op in "YXU":
            text = f"u{node.value}" if node.op == "U" else f"load({node.op}, {node.value} * WIDTH)"
        elif not node.varying:
            text = f"load(C, {self.program.hoist(node)} * WIDTH)"
        else:
            operands = [self._text(x) for x in self._parts(node)]
            text = _expression("mul" if node.op == "div" and self._parts(node) != node.args else node.op, operands)
        if self.uses.get(node.index, 0) < 2 and node.op not in "YXU" and node.varying:
            return text
        name = f"v{len(self.names)}"
        self.names[node.index] = name
        self.lines.append(f"{name} = {text}")
        return name


def _expression(op: str, operands: Sequence[str]) -> str:
    if op in INFIX:
        return f"({operands[0]} {INFIX[op]} {operands[1]})"
    if op == "neg":
        return f"(-{operands[0]})"
    return f"{'select' if op == 'where' else op}({', '.join(operands)})"


def explicit(tableau: stepper.Tableau) -> Any:
    """Return the method that integrates a block with an explicit pair."""

    def method(program: Program) -> tuple[str, int]:
        text = f"NODES = {stepper.nodes(tableau)!r}\n\n\n" + stepper.emit(tableau, program.layout.floor)
        return text, stepper.scratch(tableau, program.layout.states)

    return method


def implicit() -> Any:
    """Return the method that integrates a stiff block."""

    def method(program: Program) -> tuple[str, int]:
        by_state, by_exposure = program.jacobian()
        elimination = stiff.Elimination(by_state)
        slopes = [program.tape.leaf("U", i, True) for i in range(len(program.x))]
        change = [program.node(sum((d * u for d, u in zip(row, slopes, strict=True)), 0.0)) for row in by_exposure]
        text = [
            f"NODES = {stiff.nodes()!r}",
            program.change(change),
            elimination.factor(program),
            elimination.solve(),
            stiff.emit(program.layout.floor),
        ]
        return "\n\n\n".join(text), stiff.scratch(elimination, program.layout.states)

    return method


def exact() -> Any:
    """Return the method of a block without states of its own: exposures, and the areas under them, in closed form."""

    def method(program: Program) -> tuple[str, int]:
        return "NODES = (1.0,)\n\n\n" + program.areas(), 0

    return method


def source(block: Block, method: Any) -> str:
    """Return the whole text of a block's program."""
    program = Program(block, method)
    head = [
        '"""Program of a block."""',
        "import numpy as np",
        "from numba import njit",
        "from myelosim.engine.lanes import (",
        "    INNER, JIT, WIDTH, absolute, address, after, any_lane, every_lane, everywhere, exp, lane_bits, load, log, maximum,",
        "    minimum, power, select, splat, store,",
        ")",
    ]
    rest = [_kernel(name) for name in ("steps", "watch", "driver")]
    return "\n".join(head) + "\n\n" + program.text + "\n\n" + "\n".join(rest)


def _kernel(name: str) -> str:
    lines = (KERNEL / f"{name}.py").read_text(encoding="utf-8").splitlines()
    last = max(i for i, line in enumerate(lines) if line.startswith(("from ", "import ")) or line == ")")
    body = "\n".join(lines[last + 1 :])
    return f"# {name}\n{body}\n"
