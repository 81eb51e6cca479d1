"""FedSim: average within clusters of similar updates, then over the clusters."""

from typing import Any

import numpy as np

from flnft_sim.learning.aggregation.base import AGGREGATORS, weighted_mean
from flnft_sim.machine import one_thread

EXPLAINED_VARIANCE = 0.95  # of the principal components kept before clustering, the publication's choice


@AGGREGATORS.register("fedsim")
def fedsim(start: np.ndarray, user_params: np.ndarray, sizes: np.ndarray, /, **_unused: Any) -> np.ndarray:
    """w ← (1/G)·Σ_g Σ_{k∈g} (n_k/n_g)·w_k (Palihawadana et al. 2022).

    Clusters g come from k-means on the principal components of the users' gradients. Two departures: the gradient is
    this round's update w_k − w (the publication spends an extra pass on it), so the first round is clustered too; and
    the number of clusters, a knob there, is √n here.
    """
    groups = _similar(user_params - start, max(1, round(len(sizes) ** 0.5)))
    models = np.stack([weighted_mean(user_params[groups == g], sizes[groups == g]) for g in np.unique(groups)])
    return weighted_mean(models, np.ones(len(models)))


def _similar(updates: np.ndarray, clusters: int) -> np.ndarray:
    """Return a cluster number (n,) for each update; updates that do not differ are one cluster."""
    from sklearn.cluster import KMeans

    # The principal components of n updates from their n×n Gram matrix: exact, and cheap when P is large. (PCA of
    # scikit-learn decomposes the n×P matrix: the same clusters at twenty times the time for 100 updates of the MLP.)
    centred = (updates - updates.mean(axis=0)).astype(np.float64)
    with one_thread("blas"):
        variances, vectors = np.linalg.eigh(centred @ centred.T)
    variances, vectors = np.maximum(variances[::-1], 0.0), vectors[:, ::-1]
    if clusters == 1 or variances.sum() <= 1e-20 * max(1.0, float((updates.astype(np.float64) ** 2).sum())):
        return np.zeros(len(updates), int)
    kept = int(np.searchsorted(np.cumsum(variances), EXPLAINED_VARIANCE * variances.sum())) + 1
    components = vectors[:, :kept] * np.sqrt(variances[:kept])
    distinct = len(np.unique(components, axis=0))
    return KMeans(min(clusters, distinct), n_init=10, random_state=0).fit_predict(components)
