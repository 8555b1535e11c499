from pathlib import Path

import pytest
import torch
from torchmetrics.image.fid import NoTrainInceptionV3

from training.errors import WeightsUnavailable
from training.measures.inception import FEATURES, Inception

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the right layers with random weights: the published ones are a download of 90 MB."""
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: None)
        torch.save({}, path)
        torch.manual_seed(0)
        drawn = NoTrainInceptionV3("inception-v3-compat", [str(FEATURES)], str(path))
    torch.save(drawn.state_dict(), path)
    return path


def test_images_of_any_size_grey_or_coloured_have_2048_features(weights: Path) -> None:
    inception = Inception(weights, CPU)
    grey = torch.arange(2 * 28 * 28).reshape(2, 1, 28, 28).to(torch.uint8)
    found = inception.features(grey)
    assert found.shape == (2, FEATURES)
    assert torch.equal(found, inception.features(grey.expand(-1, 3, -1, -1)))
    assert not torch.equal(found[0], found[1])


def test_a_file_without_the_weights_is_refused_by_name_and_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"layer": torch.zeros(1)}, path)
    for absent in (path, tmp_path / "nowhere.pth"):
        with pytest.raises(WeightsUnavailable, match=rf"{absent.name} does not hold them.*--inception FILE"):
            Inception(absent, CPU)
