"""A plain eager training loop, as tutorials write it: what `bench.train` compares the project's step with.

Pictures go through Pillow one by one, each loss is read in each step, and spectral norm is torch's own. The networks,
the objective and the codes are those of the preset.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss, one_hot
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.datasets import MNIST

from latent import ImageShape
from training.loop.players import BETA2, LR_Q
from training.loop.run import Config
from training.loop.step import CLASS_WEIGHT, STYLE_WEIGHT
from training.networks.build import Built, build
from training.networks.gan import NETWORKS
from training.recipes.presets import TOLD

UNBOUNDED = "compact-free"
"""the network whose D is that of `compact` without its spectral norm"""

TO_TENSOR = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
VIEW = transforms.Compose(
    [transforms.RandomAffine(12, translate=(0.07, 0.07), scale=(0.85, 1.15), shear=12), transforms.ToTensor()]
)


class Pictures(Dataset[tuple[Tensor, Tensor, int]]):
    """MNIST with a changed view of each picture where a classifier learns, else with the picture twice."""

    def __init__(self, data_dir: Path, *, views: bool) -> None:
        self.pictures = MNIST(str(data_dir))
        self.views = views

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor, int]:
        picture, label = self.pictures[row]
        image = TO_TENSOR(picture)
        return image, VIEW(picture) * 2 - 1 if self.views else image, label


class Tutorial:
    """The loop of one preset, which goes on where it stopped."""

    def __init__(self, config: Config, data_dir: Path, device: torch.device) -> None:
        self.config, self.device = config, device
        dataset = Pictures(data_dir, views=config.codes == "acgan")
        self.loader = DataLoader(dataset, batch_size=config.batch, shuffle=True, drop_last=True)
        self.batches = self._forever()
        self.space = config.latent_space(tuple(dataset.pictures.classes))
        built = self._build()
        self.generator, self.discriminator = built.generator.to(device), built.opponent.to(device)
        self.recogniser = None if built.recogniser is None else built.recogniser.to(device)
        betas = (config.beta1, BETA2)
        self.optimiser_d = torch.optim.Adam(self.discriminator.parameters(), lr=config.lr_d, betas=betas)
        self.optimiser_g = torch.optim.Adam(self.generator.parameters(), lr=config.lr_g, betas=betas)
        if self.recogniser is not None:
            self.optimiser_q = torch.optim.Adam(self.recogniser.classes.parameters(), lr=LR_Q)
        self.losses: list[tuple[float, float]] = []

    def _build(self) -> Built:
        config, shape = self.config, ImageShape(height=28, width=28, channels=1)
        built = build(config.network, config.objective, config.codes, self.space, shape, config.dropout)
        if NETWORKS[config.network].spectral:
            built.opponent = build(UNBOUNDED, config.objective, config.codes, self.space, shape, 0).opponent
            for layer in [layer for layer in built.opponent.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]:
                spectral_norm(layer)
        return built

    def _forever(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        while True:
            yield from self.loader

    def train(self, steps: int) -> None:
        for _ in range(steps):
            images, views, labels = (each.to(self.device) for each in next(self.batches))
            loss_d, fake, latents = self._discriminate(images, labels)
            if self.config.codes == "acgan":
                self._classify(images, views, labels)
            loss_g = self._generate(fake, *latents)
            self.losses.append((loss_d.item(), loss_g.item()))

    def _told(self, classes: Tensor) -> Tensor:
        return classes if self.config.codes in TOLD else classes[:, :0]

    def _discriminate(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
        count, classes = len(images), len(self.space.classes)
        if self.config.codes == "infogan" and self.recogniser is not None:
            with torch.no_grad():
                labels = self.recogniser.classes.eval()(images).argmax(1)
        of_real = drawn = torch.zeros(count, 0, device=self.device)
        if classes:
            of_real = one_hot(labels, classes).float()
            drawn = one_hot(torch.randint(classes, (count,), device=self.device), classes).float()
        styles = torch.rand(count, len(self.space.styles), device=self.device) * 2 - 1
        noise = torch.rand(count, self.space.noise_size, device=self.device) * 2 - 1
        self.optimiser_d.zero_grad()
        real_outputs = self.discriminator(images, self._told(of_real))
        loss_real = binary_cross_entropy_with_logits(real_outputs, torch.ones_like(real_outputs))
        loss_real.backward()  # type: ignore[no-untyped-call]
        fake = self.generator(noise, drawn, styles)
        fake_outputs = self.discriminator(fake.detach(), self._told(drawn))
        loss_fake = binary_cross_entropy_with_logits(fake_outputs, torch.zeros_like(fake_outputs))
        loss_fake.backward()  # type: ignore[no-untyped-call]
        self.optimiser_d.step()
        return loss_real + loss_fake, fake, (drawn, styles)

    def _classify(self, images: Tensor, views: Tensor, labels: Tensor) -> None:
        assert self.recogniser is not None
        self.optimiser_q.zero_grad()
        self.recogniser.train()
        first, second = self.recogniser.classes(torch.cat([images, views])).chunk(2)
        ((cross_entropy(first, labels) + cross_entropy(second, labels)) / 2).backward()  # type: ignore[no-untyped-call]
        self.optimiser_q.step()

    def _generate(self, fake: Tensor, drawn: Tensor, styles: Tensor) -> Tensor:
        self.optimiser_g.zero_grad()
        outputs = self.discriminator(fake, self._told(drawn))
        loss = binary_cross_entropy_with_logits(outputs, torch.ones_like(outputs))
        if self.recogniser is not None:
            self.recogniser.eval()
            logits, means = self.recogniser(fake)
            loss = loss + CLASS_WEIGHT[self.config.codes] * cross_entropy(logits, drawn)
            if self.space.styles:
                loss = loss + STYLE_WEIGHT * mse_loss(means, styles)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser_g.step()
        return loss
