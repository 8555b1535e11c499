"""The judge: a frozen classifier trained on real labelled images, with its seed, digest and test accuracy."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from training.datasets.augment import augment
from training.datasets.images import ImageSet, to_unit
from training.errors import CorruptCheckpoint
from training.files import Damaged, read_tensors, save_tensors
from training.progress import Progress

EPOCHS = 4
BATCH = 128
SMALL_BATCH = 32
LEAST_STEPS = 200
"""Few images are seen more often, in smaller batches: four epochs of sixty in batches of 128 would be no step."""
ERRORS = 2.0
"""Standard errors by which a judge that has learned is more often right than an answer that is always the same."""
SEED = 0
LR = 2e-3
FADE = 0.5
"""The most by which the brightness of half its training images falls."""


@dataclass(frozen=True)
class Judge:
    network: nn.Sequential
    classes: tuple[str, ...]
    test_accuracy: float
    able: bool = True
    """Whether it has learned to tell the classes of real images. If not, no figure that it measures means anything."""

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    @torch.no_grad()
    def probabilities(self, images: Tensor) -> Tensor:
        """uint8 (N, channels, H, W) -> (N, C)"""
        batches = [self.network(to_unit(batch)).softmax(1) for batch in torch.split(images, 500)]
        return torch.cat(batches)

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """uint8 (N, channels, H, W) -> activations of the last hidden layer (N, 128)"""
        layers = self.network[:-1]
        return torch.cat([layers(to_unit(batch)) for batch in torch.split(images, 500)])

    def labels(self, images: Tensor) -> Tensor:
        """uint8 (N, channels, H, W) -> (N,)"""
        return self.probabilities(images).argmax(1)

    def digest(self) -> str:
        """The first 12 hexadecimal digits of the weights' SHA-256."""
        weights = hashlib.sha256()
        for tensor in self.network.state_dict().values():
            weights.update(tensor.cpu().numpy().tobytes())
        return weights.hexdigest()[:12]

    def protocol(self) -> str:
        """The protocol of every figure that the judge measures."""
        if len(self.classes) < 2:
            return "no classifier can judge: there is one class"
        if not self.able:
            return "the classifier cannot judge: there are too few images to learn the classes from, or to test it on"
        return (
            f"convolutional classifier, seed {SEED}, weights {self.digest()}, "
            f"{self.test_accuracy:.2%} right on the real test set"
        )


def make_network(channels: int, classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(3),
        nn.Flatten(),
        nn.Linear(64 * 9, 128),
        nn.ReLU(),
        nn.Linear(128, classes),
    )


def load_or_train_judge(path: Path, train: ImageSet, test: ImageSet, device: torch.device, progress: Progress) -> Judge:
    """Load the judge from `path`, or train it and write it there. Raises CorruptCheckpoint."""
    if path.exists():
        return _load(path, train, test, device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        net = make_network(train.shape.channels, len(train.classes)).to(device)
        fit(net, train.to(device), total_steps(train), progress, batch_size(train))
    net.eval().requires_grad_(False)
    unmeasured = Judge(net, train.classes, 0.0)
    right = unmeasured.labels(test.images.to(device)).cpu() == test.labels
    judge = _measured(net, right.float().mean().item(), test)
    save_tensors(path, {"weights": net.state_dict(), "accuracy": judge.test_accuracy})
    return judge


def batch_size(train: ImageSet) -> int:
    return BATCH if EPOCHS * len(train) >= LEAST_STEPS * SMALL_BATCH else SMALL_BATCH


def total_steps(train: ImageSet) -> int:
    if len(train.classes) < 2:
        return 0  # there is nothing to learn
    return EPOCHS * (len(train) // BATCH) if batch_size(train) == BATCH else LEAST_STEPS


def has_learned(accuracy: float, labels: Tensor) -> bool:
    """Whether a share of right answers on labels (N,) is more than naming the commonest class would give, by chance."""
    guessed = labels.bincount().max().item() / len(labels)
    return bool(accuracy > guessed + ERRORS * (guessed * (1 - guessed) / len(labels)) ** 0.5)


def fit(net: nn.Sequential, train: ImageSet, steps: int, progress: Progress, batch: int = BATCH) -> None:
    """Train on `steps` batches of random images."""
    optimiser = torch.optim.Adam(net.parameters(), lr=LR)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=LR, total_steps=max(steps, 4))
    source = torch.Generator(train.images.device).manual_seed(SEED)
    for step in range(steps):
        rows = torch.randint(len(train), (batch,), generator=source, device=train.images.device)
        # Half plain, half moved a little: drawn images are not centred like real ones.
        real = to_unit(train.images[rows])
        half = batch // 2
        seen = torch.cat([real[:half], augment(real[half:], source, FADE)])
        loss = cross_entropy(net(seen), train.labels[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if step % 20 == 19:
            progress(step + 1, {"loss": loss.item()})


def _load(path: Path, train: ImageSet, test: ImageSet, device: torch.device) -> Judge:
    net = make_network(train.shape.channels, len(train.classes)).to(device)
    try:
        saved = read_tensors(path, device)
        net.load_state_dict(saved["weights"])
        accuracy = float(saved["accuracy"])
    except (Damaged, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise CorruptCheckpoint(
            f"{path} is damaged, or is no judge of these images; bring back a copy of it, or delete it, and the judge "
            "is trained again"
        ) from error
    return _measured(net.eval().requires_grad_(False), accuracy, test)


def _measured(net: nn.Sequential, accuracy: float, test: ImageSet) -> Judge:
    return Judge(net, test.classes, accuracy, has_learned(accuracy, test.labels))
