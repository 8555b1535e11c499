from starlette.testclient import TestClient


def test_a_client_may_name_its_request_and_gets_the_name_back(client: TestClient) -> None:
    given = client.post("/v1/images", json={}, headers={"x-request-id": "abc-1"})
    assert given.headers["x-request-id"] == "abc-1"
    forged = client.post("/v1/images", json={}, headers={"x-request-id": "a b\tc"})
    assert forged.headers["x-request-id"] != "a b\tc"
    assert client.post("/v1/images", json={"n": 0}).headers["x-request-id"]
