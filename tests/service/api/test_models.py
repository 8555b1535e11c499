import json

from starlette.testclient import TestClient

from latent import GeneratorCard


def test_every_model_has_its_card_and_digest(client: TestClient) -> None:
    models = {model["card"]["name"]: model for model in client.get("/v1/models").json()["models"]}
    assert set(models) == {"small", "plain"}
    assert models["small"]["default"] is True
    assert {name: model["recogniser"] for name, model in models.items()} == {"small": True, "plain": False}
    one = client.get("/v1/models/small").json()
    assert one == models["small"]
    assert GeneratorCard.model_validate_json(json.dumps(one["card"])).image.height == 28
    assert len(one["digest"]) == 64
    assert client.get("/v1/models/none").status_code == 404
