"""What labelled images are worth: how well a classifier that saw nothing else does on real ones."""

import torch

from training.datasets.images import ImageSet
from training.measures.judge import BATCH, Judge, fit, make_network
from training.measures.subject import Figure, Figures, Measure, Subject
from training.progress import Progress, quiet

STEPS = 600
"""of an evaluation; `faussaire score` takes more"""
MOST_EPOCHS = 10
"""The most passes over the drawn images, if they are few."""
SEED = 6


def classification_accuracy(
    drawn: ImageSet, test: ImageSet, steps: int, seed: int = SEED, progress: Progress = quiet
) -> float:
    """Accuracy on the real test set of a classifier trained on drawn images alone (Ravuri and Vinyals 2019).

    The classifier is a judge that begins with other weights, drawn from `seed`, and learns from `steps` batches.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make_network(drawn.shape.channels, len(drawn.classes))
        fit(network, drawn, steps, progress)
    labels = Judge(network.eval(), drawn.classes, 0.0).labels(test.images)
    return (labels == test.labels).float().mean().item()


def measure_score(subject: Subject) -> Figures:
    if subject.asked is None or subject.labelled is None:
        return {}
    drawn = subject.labelled()
    steps = min(STEPS, MOST_EPOCHS * len(drawn) // BATCH)
    return {"accuracy": subject.asked(), "score": classification_accuracy(drawn, subject.real.test, steps)}


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
