"""Sorts real images into classes without labels: cuts the graph of their neighbours into even parts.

Spectral clustering (Ng, Jordan and Weiss 2002): the leading eigenvectors of the graph place each image so that those
with many neighbours in common lie close. K-means then finds the parts, each with as many images as the others (by
Sinkhorn and Knopp's normalisation; Cuturi 2013). K-means ends where it began to look; of several attempts the most
informative partition is kept: the one in which the class of an image says most about those of its neighbours.
"""

from functools import partial

import numpy as np
import scipy.sparse as sparse
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from torch import Tensor

EIGENVECTORS = 1.5
"""a class: with as many as classes, two of them are one class to k-means; with twice as many, accidents count"""

MOST_EIGENVECTORS = 64
"""They take a minute and a half for 60,000 images, and more take much longer."""

RESTARTS = 2_000
"""of the search for eigenvectors, the most; MNIST takes less than a tenth"""

LOOSE = 1e-3
"""The relative error of eigenvalues that is taken if they do not converge: those of many copies of few images."""

LIKENESS = 0.1
"""Edges from each row to all others together (Amini et al. 2013); a row has some ten to its neighbours."""

ATTEMPTS = 12
ROUNDS = 30
"""of k-means"""

BALANCINGS = 20
"""rounds of Sinkhorn and Knopp's normalisation"""

SOFTNESS = 0.05
"""of the mean squared distance to a centre: how far an image may go to another class for the sake of evenness"""


def partition(neighbours: Tensor, count: int, seed: int) -> Tensor:
    """Return a class in 0 .. count - 1 for each row (N,), given the rows of its neighbours (N, K)."""
    near = neighbours.cpu()
    points = torch.from_numpy(_place(near.numpy(), count, seed))
    attempts = [_sort_evenly(points, count, seed * ATTEMPTS + attempt) for attempt in range(ATTEMPTS)]
    return max(attempts, key=lambda codes: information(codes, near, count)).to(neighbours.device)


def information(codes: Tensor, neighbours: Tensor, count: int) -> float:
    """Return what the class of a row says about that of its neighbour, in nats: codes (N,), neighbours (N, K)."""
    pairs = codes.repeat_interleave(neighbours.shape[1]) * count + codes[neighbours].flatten()
    joint = torch.bincount(pairs, minlength=count * count).reshape(count, count).double()
    joint = (joint + joint.T) / (2 * joint.sum())
    independent = joint.sum(0) * joint.sum(1)[:, None]
    return torch.where(joint > 0, joint * (joint / independent).log(), 0.0).sum().item()


def _place(neighbours: NDArray[np.int64], count: int, seed: int) -> NDArray[np.float32]:
    """Return a point of length 1 for each row: (N, about 1.5 * count)."""
    rows, near = neighbours.shape
    one_way = sparse.csr_matrix(
        (np.ones(rows * near), (np.repeat(np.arange(rows), near), neighbours.ravel())), shape=(rows, rows)
    )
    graph = one_way + one_way.T
    # Each row is a little like all others, so that a few copies of one image are no class of their own.
    scale = (np.asarray(graph.sum(1)).ravel() + LIKENESS) ** -0.5

    def spread(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        scaled = scale * vector.ravel()
        spread: NDArray[np.float64] = scale * (graph @ scaled + LIKENESS * scaled.mean())
        return spread

    operator = LinearOperator((rows, rows), matvec=spread, dtype=np.float64)
    wanted = min(round(EIGENVECTORS * count), MOST_EIGENVECTORS, rows - 1)
    begin: NDArray[np.float64] = np.random.default_rng(seed).standard_normal((rows,))
    find = partial(eigsh, operator, k=wanted, which="LA", v0=begin, maxiter=RESTARTS)
    try:
        _, vectors = find()
    except ArpackNoConvergence:
        _, vectors = find(tol=LOOSE)
    points: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return points


def _sort_evenly(points: Tensor, count: int, seed: int) -> Tensor:
    """Sort points (N, P) by k-means with even classes (N,)."""
    centres = _begin(points, count, seed)
    for _ in range(ROUNDS):
        shares = _balance(torch.cdist(points, centres) ** 2)
        centres = shares.T @ points / shares.sum(0)[:, None]
    return shares.argmax(1)


def _begin(points: Tensor, count: int, seed: int) -> Tensor:
    """Choose the first centres (C, P) among points (N, P): k-means++ (Arthur and Vassilvitskii 2007)."""
    source = torch.Generator().manual_seed(seed)
    distances = torch.ones(len(points))
    chosen: list[Tensor] = []
    for _ in range(count):
        likely = distances if distances.any() else torch.ones(len(points))
        chosen.append(points[torch.multinomial(likely, 1, generator=source)])
        away = (points - chosen[-1]).square().sum(1)
        distances = away if len(chosen) == 1 else torch.minimum(distances, away)
    return torch.cat(chosen)


def _balance(distances: Tensor) -> Tensor:
    """Return each row's shares in the classes (N, C), which have as many rows each; distances are squared, (N, C)."""
    shares = (-distances / (SOFTNESS * distances.mean())).softmax(1)
    for _ in range(BALANCINGS):
        shares = shares / shares.sum(0)
        shares = shares / shares.sum(1, keepdim=True)
    return shares
