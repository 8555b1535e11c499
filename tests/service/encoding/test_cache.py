from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.encoding.cache import BESIDE, Cache, Kept


def kept(length: int, catalogue: object) -> Kept:
    return Kept(bytes(length), '"etag"', [], [], "small", "stable", catalogue)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f"]), st.integers(0, 600)), max_size=40))
def test_the_cache_never_holds_more_than_its_bytes_and_gives_what_was_put_last(puts: list[tuple[bytes, int]]) -> None:
    most, catalogue = 3 * BESIDE, object()
    cache, newest = Cache(most), dict[bytes, Kept]()
    for query, length in puts:
        newest[query] = kept(length, catalogue)
        cache.put((query, None), newest[query])
        assert cache.get((query, None), catalogue) is newest[query]
        found = {key: answer for key in newest if (answer := cache.get((key, None), catalogue)) is not None}
        assert sum(BESIDE + len(answer.content) for answer in found.values()) <= most
        assert all(answer is newest[key] for key, answer in found.items())


def test_an_answer_holds_for_its_query_its_canary_and_what_was_served_then() -> None:
    cache, then, now = Cache(10 * BESIDE), object(), object()
    cache.put((b"seed=1", None), kept(9, then))
    assert cache.get((b"seed=1", None), then) is not None
    assert cache.get((b"seed=2", None), then) is None
    assert cache.get((b"seed=1", "always"), then) is None
    assert cache.get((b"seed=1", None), now) is None


def test_what_is_larger_than_the_cache_is_not_kept() -> None:
    cache, catalogue = Cache(BESIDE), object()
    cache.put((b"seed=1", None), kept(1, catalogue))
    assert cache.get((b"seed=1", None), catalogue) is None
