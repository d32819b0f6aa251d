"""The Fisher information of a set of looks at one subject.

With y the observations on the working scale, linear in the random effects, y is normal with variance

    V = G omega G' + R,

G the derivatives by random effects and R the errors' (diagonal) variance, and the information about parameters k, l is

    F_kl = E_k' V^-1 E_l + tr(V^-1 V_k V^-1 V_l)/2,

E_k and V_k being derivatives of mean and variance. "reduced" leaves out how V moves with thetas: the matrix has two blocks. Each
V_k is J C_k J' + diag(D_k), where J is G ("full": and its derivatives by the thetas), so that by V^-1 = R^-1 - R^-1 G K G' R^-1
the whole matrix follows from sums over looks, such as those of J_i J_i'/R_i. A set's sums are the sums of its looks': a matrix
costs the same few products of small matrices however many looks there are, and thousands are found at once.

References: Mentré, Mallet and Baccar, Biometrika 1997;84:429-42; Foracchia, Hooker, Vicini and Ruggeri, Comput Methods Programs
Biomed 2004;74:29-46; Nyberg et al., Br J Clin Pharmacol 2015;79:6-17.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myelosim.information.sensitivity import Sensitivity

Array = NDArray[np.float64]


class Fisher:
    """Information matrices of subjects with one set of sensitivities.

    Parameters
    ----------
    of : Sensitivity
        Of all looks that may be chosen from.

    Examples
    --------
    One look at a mean with variance 4, with a random effect of variance 3 and an error of variance 1:

    >>> from myelosim.information import Look
    >>> one = np.ones((1, 1))
    >>> s = Sensitivity(
    ...     (Look("count", 0.0),), 5 * one, one[None], one[None], one, 0 * one[None], one[None], None, 3 * one, one[None]
    ... )
    >>> Fisher(s)([[1.0]])[0]
    array([[0.25   , 0.     , 0.     ],
           [0.     , 0.03125, 0.03125],
           [0.     , 0.03125, 0.03125]])
    """

    def __init__(self, of: Sensitivity) -> None:
        self.of = of
        self.effects, self.thetas = of.random.shape[2], of.theta.shape[2]
        self.points = [_Point(of, k) for k in range(len(of.f))]

    def __call__(self, counts: ArrayLike) -> Array:
        """Return matrices (set, parameter, parameter) of sets of looks.

        Parameters
        ----------
        counts : array (set, look)
            How often each look is made.
        """
        counts = np.asarray(counts, float)
        total = self.points[0](counts)
        for point in self.points[1:]:
            total = total + point(counts)
        return np.asarray(total / len(self.points))

    @property
    def once(self) -> Array:
        """The matrix (parameter, parameter) of each look made once."""
        return np.asarray(self(np.ones((1, len(self.of.looks))))[0])


class _Point:
    """The matrices at one point of linearization."""

    def __init__(self, of: Sensitivity, k: int) -> None:
        self.omega, G, X = of.omega, of.random[k], of.theta[k]
        self.E, self.P, self.size = G.shape[1], X.shape[1], of.parameters
        J, D, self.with_d = G, of.by_term[k], np.arange(self.size - of.by_term.shape[2], self.size)
        self.C, self.with_c = of.omega_by, np.arange(self.P, self.P + len(of.omega_by))
        if of.both is not None:
            J, self.C = _widened(of, k)
            D = np.concatenate([of.by_theta[k], D], axis=1)
            self.with_c = np.arange(self.P + len(of.omega_by))
            self.with_d = np.concatenate([np.arange(self.P), self.with_d])
        w = 1.0 / of.variance[k]
        parts = {
            "A": np.einsum("r,rp,rq->rpq", w, X, X),
            "H": np.einsum("r,re,rp->rep", w, G, X),
            "M": np.einsum("r,ri,rj->rij", w, J, J),
            "N": np.einsum("r,rk,ri,rj->rkij", w**2, D, J, J),
            "Q": np.einsum("r,rk,rl,re,rf->rklef", w**3, D, D, G, G),
            "T": np.einsum("r,rk,rl->rkl", w**2, D, D),
        }
        self.shapes = {name: part.shape[1:] for name, part in parts.items()}
        self.ends = np.cumsum([0, *(int(np.prod(shape)) for shape in self.shapes.values())])
        self.flat = np.concatenate([part.reshape(len(w), -1) for part in parts.values()], axis=1)

    def __call__(self, counts: Array) -> Array:
        sums, E = counts @ self.flat, self.E
        A, H, M, N, Q, T = (
            sums[:, start:end].reshape(len(sums), *shape)
            for shape, start, end in zip(self.shapes.values(), self.ends, self.ends[1:], strict=False)
        )
        K = np.linalg.solve(np.eye(E) + self.omega @ M[:, :E, :E], np.broadcast_to(self.omega, (len(sums), E, E)))
        KM = K @ M[:, :E]
        L = np.broadcast_to(np.eye(M.shape[1]), M.shape).copy()
        L[:, :E] -= KM
        between = self.C @ (M - M[:, :, :E] @ KM)[:, None]
        alone = L.transpose(0, 2, 1)[:, None] @ N @ L[:, None]
        error = K[:, None] @ N[:, :, :E, :E]
        both = 0.5 * _flat(alone) @ _flat(self.C[None])[0].T
        out = np.zeros((len(sums), self.size, self.size))
        out[:, : self.P, : self.P] = A - H.transpose(0, 2, 1) @ K @ H
        c, d = self.with_c, self.with_d
        out[:, c[:, None], c] += 0.5 * _traces(between)
        out[:, d[:, None], c] += both
        out[:, c[:, None], d] += both.transpose(0, 2, 1)
        out[:, d[:, None], d] += (
            0.5 * (T + _traces(error)) - (Q.reshape(*T.shape, E * E) @ K.reshape(len(K), 1, E * E, 1))[..., 0]
        )
        return out


def _widened(of: Sensitivity, k: int) -> tuple[Array, Array]:
    """Return J with the derivatives of G by thetas, where they are not zero, and the changes by thetas and omegas."""
    assert of.both is not None
    G, E, P = of.random[k], of.random.shape[2], of.theta.shape[2]
    moved = [(e, p) for p in range(P) for e in range(E) if np.any(of.both[:, :, e, p])]
    J = np.concatenate([G, *(of.both[k][:, e, p][:, None] for e, p in moved)], axis=1)
    C = np.zeros((P + len(of.omega_by), J.shape[1], J.shape[1]))
    C[P:, :E, :E] = of.omega_by
    for column, (e, p) in enumerate(moved, start=E):
        C[p, column, :E] = C[p, :E, column] = of.omega[e]
    return J, C


def _flat(matrices: Array) -> Array:
    return matrices.reshape(*matrices.shape[:2], matrices.shape[2] * matrices.shape[3])


def _traces(matrices: Array) -> Array:
    """Return the traces of all products of two of the matrices (set, k, i, j): (set, k, k)."""
    return np.asarray(_flat(matrices) @ _flat(matrices.transpose(0, 1, 3, 2)).transpose(0, 2, 1))
