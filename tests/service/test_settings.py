import pytest

from service.settings import ROOT, Settings


def test_settings_come_from_the_environment_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAUSSAIRE_MAX_IMAGES", "5")
    monkeypatch.delenv("FAUSSAIRE_MODELS_DIR", raising=False)
    settings = Settings.from_environment()
    assert settings.max_images == 5
    assert settings.models_dir == ROOT / "models"


def test_a_setting_that_is_not_valid_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAUSSAIRE_MAX_IMAGES", "many")
    with pytest.raises(SystemExit, match=r"^error: FAUSSAIRE_MAX_IMAGES: Input should be a valid integer"):
        Settings.from_environment()
