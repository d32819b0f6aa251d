"""The information of looks by its definition, with matrices as large as there are looks."""

import numpy as np


def dense(s, counts, k=0):
    """Return the information of one subject at a point of linearization, by V and its derivatives."""
    rows = np.repeat(np.arange(len(s.looks)), counts)
    G, X, D = s.random[k][rows], s.theta[k][rows], s.by_term[k][rows]
    V = G @ s.omega @ G.T + np.diag(s.variance[k][rows])
    moved = []
    for p in range(X.shape[1]):
        if s.both is None:
            moved.append(np.zeros_like(V))
        else:
            B = s.both[k][rows][:, :, p]
            moved.append(B @ s.omega @ G.T + G @ s.omega @ B.T + np.diag(s.by_theta[k][rows][:, p]))
    moved += [G @ one @ G.T for one in s.omega_by]
    moved += [np.diag(D[:, j]) for j in range(D.shape[1])]
    return normal(np.hstack([X, np.zeros((len(rows), len(moved) - X.shape[1]))]), V, moved)


def normal(E, V, moved):
    """Return the information of a normal vector: derivatives of the mean (row, parameter), variance, and its derivatives."""
    inverse = np.linalg.inv(V)
    about = E.T @ inverse @ E
    for i, first in enumerate(moved):
        for j, second in enumerate(moved):
            about[i, j] += 0.5 * np.trace(inverse @ first @ inverse @ second)
    return about
