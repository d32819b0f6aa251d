"""The explicit steppers: tableaus, and the text of a step. Nothing else knows a tableau.

References: Dormand and Prince, J Comput Appl Math 1980;6:19-26 (DP5); Hairer, Norsett and Wanner, Solving Ordinary Differential
Equations I, 2nd ed. 1993, section II.5 (DOP853, coefficients as published with the authors' code).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tableau:
    """An explicit embedded Runge-Kutta pair whose last stage is the derivative at the end of the step."""

    name: str
    order: int
    a: tuple[tuple[float, ...], ...]
    c: tuple[float, ...]
    error: tuple[tuple[float, ...], ...]


DP5 = Tableau(
    name="dp5",
    order=5,
    a=(
        (),
        (1 / 5,),
        (3 / 40, 9 / 40),
        (44 / 45, -56 / 15, 32 / 9),
        (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
        (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
        (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
    ),
    c=(0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0),
    error=((-71 / 57600, 0.0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40),),
)

DOP853 = Tableau(
    name="dop853",
    order=8,
    a=(
        (),
        (0.05260015195876773,),
        (
            0.0197250569845379,
            0.0591751709536137,
        ),
        (
            0.02958758547680685,
            0.0,
            0.08876275643042054,
        ),
        (
            0.2413651341592667,
            0.0,
            -0.8845494793282861,
            0.924834003261792,
        ),
        (
            0.037037037037037035,
            0.0,
            0.0,
            0.17082860872947386,
            0.12546768756682242,
        ),
        (
            0.037109375,
            0.0,
            0.0,
            0.17025221101954405,
            0.06021653898045596,
            -0.017578125,
        ),
        (
            0.03709200011850479,
            0.0,
            0.0,
            0.17038392571223998,
            0.10726203044637328,
            -0.015319437748624402,
            0.008273789163814023,
        ),
        (
            0.6241109587160757,
            0.0,
            0.0,
            -3.3608926294469414,
            -0.868219346841726,
            27.59209969944671,
            20.154067550477894,
            -43.48988418106996,
        ),
        (
            0.47766253643826434,
            0.0,
            0.0,
            -2.4881146199716677,
            -0.590290826836843,
            21.230051448181193,
            15.279233632882423,
            -33.28821096898486,
            -0.020331201708508627,
        ),
        (
            -0.9371424300859873,
            0.0,
            0.0,
            5.186372428844064,
            1.0914373489967295,
            -8.149787010746927,
            -18.52006565999696,
            22.739487099350505,
            2.4936055526796523,
            -3.0467644718982196,
        ),
        (
            2.273310147516538,
            0.0,
            0.0,
            -10.53449546673725,
            -2.0008720582248625,
            -17.9589318631188,
            27.94888452941996,
            -2.8589982771350235,
            -8.87285693353063,
            12.360567175794303,
            0.6433927460157636,
        ),
        (
            0.054293734116568765,
            0.0,
            0.0,
            0.0,
            0.0,
            4.450312892752409,
            1.8915178993145003,
            -5.801203960010585,
            0.3111643669578199,
            -0.1521609496625161,
            0.20136540080403034,
            0.04471061572777259,
        ),
    ),
    c=(
        0.0,
        0.05260015195876773,
        0.0789002279381516,
        0.1183503419072274,
        0.2816496580927726,
        0.3333333333333333,
        0.25,
        0.3076923076923077,
        0.6512820512820513,
        0.6,
        0.8571428571428571,
        1.0,
        1.0,
    ),
    error=(
        (
            0.01312004499419488,
            0.0,
            0.0,
            0.0,
            0.0,
            -1.2251564463762044,
            -0.4957589496572502,
            1.6643771824549864,
            -0.35032884874997366,
            0.3341791187130175,
            0.08192320648511571,
            -0.022355307863886294,
            0.0,
        ),
        (
            -0.18980075407240762,
            0.0,
            0.0,
            0.0,
            0.0,
            4.450312892752409,
            1.8915178993145003,
            -5.801203960010585,
            -0.4226823213237919,
            -0.1521609496625161,
            0.20136540080403034,
            0.02265179219836082,
            0.0,
        ),
    ),
)


def nodes(tableau: Tableau) -> tuple[float, ...]:
    """Return the distinct stage times after the start, the last being 1."""
    return tuple(sorted({*tableau.c, 1.0} - {0.0}))


def scratch(tableau: Tableau, states: int) -> int:
    """Return the rows of K a step needs: its stages, less the first and last, which are F and G."""
    return states * (len(tableau.a) - 2)


def emit(tableau: Tableau, floor: int) -> str:
    """Return the source of ``attempt``; row ``floor`` of the constants begins the states' absolute floors."""
    last = len(tableau.a) - 1
    times = nodes(tableau)

    def stage(m: int) -> str:
        array, row = ("F", "i") if m == 0 else ("G", "i") if m == last else ("K", f"({m - 1} * STATES + i)")
        return f"load({array}, {row} * WIDTH)"

    def combination(weights: tuple[float, ...]) -> str:
        return " + ".join(f"{w!r} * {stage(m)}" for m, w in enumerate(weights) if w)

    lines = [
        "@njit(**INNER)",
        "def attempt(work, size, h, rtol):",
        f'    """One step of {tableau.name}."""',
        "    C, Y, F, Z, G, A, S, T, K, X = work[:10]",
    ]
    for j in range(1, last + 1):
        target = "G" if j == last else f"after(K, {j - 1} * STATES * WIDTH)"
        lines += [
            "    for i in range(STATES):",
            f"        store(Z, i * WIDTH, load(Y, i * WIDTH) + h * ({combination(tableau.a[j])}))",
            f"    expose(A, S, T, (size * len(NODES) + {times.index(tableau.c[j])}) * MODES, {tableau.c[j]!r} * h, X)",
            f"    rhs(C, Z, X, {target})",
        ]
    lines += [
        "    good, easy = everywhere(), everywhere()",
        "    for i in range(STATES):",
        "        smaller = minimum(absolute(load(Y, i * WIDTH)), absolute(load(Z, i * WIDTH)))",
        f"        allowed = rtol * (smaller + load(C, ({floor} + i) * WIDTH))",
    ]
    lines += [f"        e{k} = h * ({combination(weights)})" for k, weights in enumerate(tableau.error)]
    fraction = 0.5 ** (tableau.order + 1)
    if len(tableau.error) == 1:
        lines += [
            "        e = absolute(e0)",
            "        good = good & (e <= allowed)",
            f"        easy = easy & (e <= {fraction!r} * allowed)",
        ]
    else:
        # e0^2 / sqrt(e0^2 + e1^2 / 100) without the root; in units of what is allowed, or a pool of 1e-82 would underflow.
        # A pool that is and stays empty is allowed nothing, and errs by nothing.
        lines += [
            "        allowed = allowed + splat(1e-300)",
            "        e0 = e0 / allowed",
            "        e1 = e1 / allowed",
            "        e = e0 * e0",
            "        bound = e + 0.01 * e1 * e1",
            "        good = good & (e * e <= bound)",
            f"        easy = easy & (e * e <= {fraction**2!r} * bound)",
        ]
    lines.append("    return every_lane(good), every_lane(easy)")
    return "\n".join(lines)
