import pytest

from service.errors import InvalidSetting
from service.settings import ROOT, Settings


def test_settings_come_from_the_environment_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAUSSAIRE_MAX_IMAGES", "5")
    monkeypatch.delenv("FAUSSAIRE_MODELS_DIR", raising=False)
    settings = Settings.from_environment()
    assert settings.max_images == 5
    assert settings.models_dir == ROOT / "models"


def test_a_setting_that_is_not_valid_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAUSSAIRE_MAX_IMAGES", "many")
    with pytest.raises(InvalidSetting, match=r"^FAUSSAIRE_MAX_IMAGES: Input should be a valid integer"):
        Settings.from_environment()


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/page", "https://", "localhost:8000"])
def test_an_origin_that_no_page_can_have_is_named(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    monkeypatch.setenv("FAUSSAIRE_CORS_ORIGINS", f"https://a.example/, {origin}")
    with pytest.raises(
        InvalidSetting, match=f"^FAUSSAIRE_CORS_ORIGINS: '{origin}' is no origin; .*https://example.org"
    ):
        Settings.from_environment()
    for fit in ("", "*", "null", "https://a.example, http://localhost:8000/", "chrome-extension://abc"):
        monkeypatch.setenv("FAUSSAIRE_CORS_ORIGINS", fit)
        Settings.from_environment()


@pytest.mark.parametrize(
    ("address", "read"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("[::1]:9464", ("::1", 9464)),
        ("localhost:80", ("localhost", 80)),
        ("", None),
    ],
)
def test_an_address_is_a_host_and_a_port(address: str, read: tuple[str, int] | None) -> None:
    assert Settings(metrics_address=address).metrics_host_and_port == read


@pytest.mark.parametrize(
    "address", ["9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "a:1/x", "a@b:1", "::1:9"]
)
def test_what_is_no_address_is_refused_with_an_example(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("FAUSSAIRE_METRICS_ADDRESS", address)
    with pytest.raises(InvalidSetting, match=r"^FAUSSAIRE_METRICS_ADDRESS: .*such as 127\.0\.0\.1:9464$"):
        Settings.from_environment()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("FAUSSAIRE_DEFUALT_MODEL", "FAUSSAIRE_DEFAULT_MODEL"), ("FAUSSAIRE_WORKER", "FAUSSAIRE_WORKERS")],
)
def test_a_variable_that_is_no_setting_is_named_with_what_was_meant(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(InvalidSetting, match=f"^{variable}: there is no such setting; did you mean {meant}"):
        Settings.from_environment()


@pytest.mark.parametrize(
    "variable",
    [
        "FAUSSAIRE_SERVICE_HOST",
        "FAUSSAIRE_SERVICE_PORT",
        "FAUSSAIRE_SERVICE_PORT_HTTP",
        "FAUSSAIRE_PORT",
        "FAUSSAIRE_PORT_3000_TCP",
        "FAUSSAIRE_PORT_3000_TCP_ADDR",
        "FAUSSAIRE_BLUE_SERVICE_HOST",
        "FAUSSAIRE_BLUE_PORT_80_TCP_PROTO",
    ],
)
def test_what_kubernetes_says_of_a_service_of_our_name_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "tcp://10.0.0.1:3000")
    assert Settings.from_environment() == Settings()
