"""The implicit stepper: a linearly implicit Rosenbrock method with exact derivatives.

One step solves eight linear systems with the same matrix, 1/(gamma h) - J. The Jacobian comes from the traced equations, and the
elimination is written out for its pattern, so that a chain costs little more than its length. All lanes share the
step; there is no pivoting, which compartment systems do not need and the error control would notice.

Reference: Steinebach, BIT Numer Math 2023;63:27 (Rodas5P, order 5, stiffly accurate).
"""

from __future__ import annotations

from typing import Any

from myelosim.engine.trace import Node

GAMMA = 0.21193756319429014
A = (
    (),
    (3.0,),
    (2.849394379747939, 0.45842242204463923),
    (-6.954028509809101, 2.489845061869568, -10.358996098473584),
    (2.8029986275628964, 0.5072464736228206, -0.3988312541770524, -0.04721187230404641),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1.0),
    (-7.502846399306121, 2.561846144803919, -11.627539656261098, -0.18268767659942256, 0.030198172008377946, 1.0, 1.0),
)
C = (
    (),
    (-14.155112264123755,),
    (-17.97296035885952, -2.859693295451294),
    (147.12150275711716, -1.41221402718213, 71.68940251302358),
    (165.43517024871676, -0.4592823456491126, 42.90938336958603, -5.961986721573306),
    (24.854864614690072, -3.0009227002832186, 47.4931110020768, 5.5814197821558125, -0.6610691825249471),
    (30.91273214028599, -3.1208243349937974, 77.79954646070892, 34.28646028294783, -19.097331116725623, -28.087943162872662),
    (
        37.80277123390563, -3.2571969029072276, 112.26918849496327, 66.9347231244047, -40.06618937091002, -54.66780262877968,
        -9.48861652309627,
    ),
)  # fmt: skip
TIMES = (0.0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1.0, 1.0, 1.0)
SLOPES = (GAMMA, -0.42387512638858027, -0.3384627126235924, 1.8046452872882734, 2.325825639765069, 0.0, 0.0, 0.0)
ORDER = 5
STAGES = len(TIMES)


def nodes() -> tuple[float, ...]:
    """Return the distinct stage times after the start, the last being 1."""
    return tuple(sorted({*TIMES} - {0.0}))


def eliminate(pattern: list[set[int]]) -> tuple[list[int], list[set[int]]]:
    """Return an order of pivots on the diagonal that fills in little, and the pattern after elimination in that order."""
    rows = [set(row) | {i} for i, row in enumerate(pattern)]
    left, order = set(range(len(rows))), []
    while left:

        def cost(k: int) -> int:
            return (len(rows[k] & left) - 1) * sum(k in rows[i] for i in left - {k})

        pivot = min(sorted(left), key=cost)
        left.remove(pivot)
        order.append(pivot)
        for i in left:
            if pivot in rows[i]:
                rows[i] |= rows[pivot] & (left | {i})
    return order, rows


class Elimination:
    """Text that factors 1/(gamma h) - J in lanes and solves with the factors."""

    def __init__(self, jacobian: list[list[Node]]) -> None:
        self.jacobian = jacobian
        n = len(jacobian)
        self.present = [{j for j in range(n) if not _is_zero(jacobian[i][j])} for i in range(n)]
        self.order, filled = eliminate(self.present)
        self.place = {(i, j): k for k, (i, j) in enumerate((i, j) for i in range(n) for j in sorted(filled[i]))}

    def factor(self, program: Any) -> str:
        """Return the function that writes the factors; diagonals are stored as reciprocals."""
        wanted = [(i, j) for i in range(len(self.jacobian)) for j in sorted(self.present[i])]
        body = program.body([self.jacobian[i][j] for i, j in wanted])
        value = dict(zip(wanted, body.results, strict=True))
        lines = ["@njit(**INNER)", "def factor(C, Y, X, W, shift):", *(f"    {line}" for line in body.lines)]
        for i, j in self.place:
            entry = f"-({value[i, j]})" if (i, j) in value else "splat(0.0)"
            lines.append(f"    m{i}_{j} = {f'shift + {entry}' if i == j else entry}")
        done: list[int] = []
        for k in self.order:
            done.append(k)
            lines.append(f"    m{k}_{k} = 1.0 / m{k}_{k}")
            for i in self.order[len(done) :]:
                if (i, k) in self.place:
                    lines.append(f"    m{i}_{k} = m{i}_{k} * m{k}_{k}")
                    lines += [
                        f"    m{i}_{j} = m{i}_{j} - m{i}_{k} * m{k}_{j}"
                        for j in self.order[len(done) :]
                        if (k, j) in self.place
                    ]
        lines += [f"    store(W, {row} * WIDTH, m{i}_{j})" for (i, j), row in self.place.items()]
        return "\n".join(lines)

    def solve(self) -> str:
        """Return the function that replaces a right-hand side by the solution."""
        lines = ["@njit(**INNER)", "def backsolve(W, V):"]
        lines += [f"    v{i} = load(V, {i} * WIDTH)" for i in range(len(self.jacobian))]
        for at, k in enumerate(self.order):
            for i in self.order[at + 1 :]:
                if (i, k) in self.place:
                    lines.append(f"    v{i} = v{i} - load(W, {self.place[i, k]} * WIDTH) * v{k}")
        for at in reversed(range(len(self.order))):
            k = self.order[at]
            for j in self.order[at + 1 :]:
                if (k, j) in self.place:
                    lines.append(f"    v{k} = v{k} - load(W, {self.place[k, j]} * WIDTH) * v{j}")
            lines.append(f"    v{k} = v{k} * load(W, {self.place[k, k]} * WIDTH)")
        lines += [f"    store(V, {i} * WIDTH, v{i})" for i in range(len(self.jacobian))]
        return "\n".join(lines)


def _is_zero(node: Node) -> bool:
    return node.op == "const" and node.value == 0.0


def scratch(elimination: Elimination, states: int) -> int:
    """Return the rows of K a step needs: the stages, a right-hand side, the change with time, and the factors."""
    return (STAGES + 2) * states + len(elimination.place)


def emit(floor: int) -> str:
    """Return the source of ``attempt``."""
    times = nodes()

    def combination(weights: tuple[float, ...]) -> str:
        return " + ".join(f"{w!r} * load(K, ({j} * STATES + i) * WIDTH)" for j, w in enumerate(weights) if w)

    lines = [
        "@njit(**INNER)",
        "def attempt(work, size, h, rtol):",
        '    """One step of Rodas5P."""',
        "    C, Y, F, Z, G, A, S, T, K, X = work[:10]",
        f"    V, D, W = after(K, {STAGES} * STATES * WIDTH), after(K, {STAGES + 1} * STATES * WIDTH), "
        f"after(K, {STAGES + 2} * STATES * WIDTH)",
        "    expose_now(A, S, X)",
        "    change(C, Y, A, S, X, D)",
        f"    factor(C, Y, X, W, splat(1.0 / ({GAMMA!r} * h)))",
    ]
    for s in range(STAGES):
        if s:
            lines += [
                "    for i in range(STATES):",
                f"        store(Z, i * WIDTH, load(Y, i * WIDTH) + ({combination(A[s])}))",
                f"    expose(A, S, T, (size * len(NODES) + {times.index(TIMES[s])}) * MODES, {TIMES[s]!r} * h, X)",
                "    rhs(C, Z, X, V)",
            ]
        stage = f"after(K, {s} * STATES * WIDTH)"
        base = "load(F, i * WIDTH)" if s == 0 else "load(V, i * WIDTH)"
        held = f" + ({combination(C[s])}) * (1.0 / h)" if s else ""
        moved = f" + {SLOPES[s]!r} * h * load(D, i * WIDTH)" if SLOPES[s] else ""
        lines += [
            "    for i in range(STATES):",
            f"        store(K, ({s} * STATES + i) * WIDTH, {base}{held}{moved})",
            f"    backsolve(W, {stage})",
        ]
    lines += [
        "    good, easy = everywhere(), everywhere()",
        "    for i in range(STATES):",
        f"        e = load(K, ({STAGES - 1} * STATES + i) * WIDTH)",
        "        z = load(Z, i * WIDTH) + e",
        "        store(Z, i * WIDTH, z)",
        "        larger = maximum(absolute(load(Y, i * WIDTH)), absolute(z))",
        f"        allowed = rtol * (larger + load(C, ({floor} + i) * WIDTH))",
        "        e = absolute(e)",
        "        good = good & (e <= allowed)",
        f"        easy = easy & (e <= {0.5 ** (ORDER + 1)!r} * allowed)",
        f"    expose(A, S, T, (size * len(NODES) + {times.index(1.0)}) * MODES, h, X)",
        "    rhs(C, Z, X, G)",
        "    return every_lane(good), every_lane(easy)",
    ]
    return "\n".join(lines)
