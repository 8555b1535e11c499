"""A generator that is to be exported, and where it comes from."""

from dataclasses import dataclass

from latent import Data, LatentSpace, Training
from training.datasets.images import ImageSet
from training.loop.averaging import recompute_batch_norm
from training.loop.checkpoint import State
from training.loop.run import Config
from training.networks.gan import Generator

BATCH_NORM_SEED = 3


@dataclass(frozen=True)
class Trained:
    generator: Generator
    """In evaluation mode, on the CPU."""
    space: LatentSpace
    data: Data
    training: Training


def read_state(state: State, config: Config, images: ImageSet) -> Trained:
    """Read a run's averaged weights. Their batch norm is measured anew."""
    generator, space = state.average.generator.cpu(), config.latent_space(images.classes)
    recompute_batch_norm(generator, space, BATCH_NORM_SEED)
    steps_per_epoch = len(images) // config.batch
    training = Training(
        preset=config.preset,
        network=config.network,
        objective=config.objective,
        codes=config.codes,
        seed=config.seed,
        epochs=round(state.step / steps_per_epoch, 2),
        images=state.step * config.batch,
        seconds=round(state.seconds, 1),
        device=", ".join(state.devices) or state.source.device.type,
        parameters=sum(weights.numel() for weights in generator.parameters()),
    )
    return Trained(generator, space, images.card, training)
