"""What labelled images are worth: how well a classifier that saw nothing else does on real ones."""

import torch

from training.datasets.images import ImageSet
from training.measures.judge import BATCH, Judge, fit, make_network
from training.measures.subject import Figure, Figures, Measure, Subject
from training.progress import quiet

STEPS = 600
MOST_EPOCHS = 10
"""The most passes over the drawn images, if they are few."""
SEED = 6


def classification_accuracy(drawn: ImageSet, test: ImageSet) -> float:
    """Accuracy on the real test set of a classifier trained on drawn images alone (Ravuri and Vinyals 2019)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = make_network(drawn.shape.channels, len(drawn.classes))
        steps = min(STEPS, MOST_EPOCHS * len(drawn) // BATCH)
        fit(network, drawn, steps, quiet)
    labels = Judge(network.eval(), drawn.classes, 0.0).labels(test.images)
    return (labels == test.labels).float().mean().item()


def measure_score(subject: Subject) -> Figures:
    if subject.asked is None or subject.labelled is None:
        return {}
    return {"accuracy": subject.asked(), "score": classification_accuracy(subject.labelled(), subject.real.test)}


MEASURES = (
    Measure(
        place=70,
        stage="accuracy of a classifier trained on these images alone",
        figures=(
            Figure("accuracy", "asked class is the judge's class", column="asked class", cell="{accuracy:.1%}"),
            Figure(
                "score",
                "a classifier trained on these alone, on real test images",
                column="CAS",
                cell="{score:.1%}",
            ),
        ),
        measure=measure_score,
        judged=True,
    ),
)
