"""What labelled images are worth: how well a classifier that saw nothing else does on real ones."""

import torch

from training.datasets.images import ImageSet
from training.measures import judge as classifier
from training.measures.judge import Judge
from training.progress import quiet

STEPS = 600
MOST_EPOCHS = 10
"""over the drawn images, where they are few"""
SEED = 6


def classification_accuracy(drawn: ImageSet, test: ImageSet) -> float:
    """Accuracy on the real test set of a classifier trained on drawn images alone (Ravuri and Vinyals 2019)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = classifier.network(drawn.shape.channels, len(drawn.classes))
        steps = min(STEPS, MOST_EPOCHS * len(drawn) // classifier.BATCH)
        classifier.fit(network, drawn, steps, quiet)
    labels = Judge(network.eval(), drawn.classes, 0.0).labels(test.images)
    return (labels == test.labels).float().mean().item()
