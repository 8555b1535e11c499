from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.encoding.cache import Cache


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c", b"d", b"e", b"f"]), st.integers(0, 60)), max_size=40))
def test_the_cache_never_holds_more_than_its_bytes_and_gives_what_was_put_last(puts: list[tuple[bytes, int]]) -> None:
    cache, newest = Cache(100), dict[bytes, bytes]()
    for name, length in puts:
        newest[name] = bytes(length)
        cache.put(name, newest[name])
        assert cache.get(name) == newest[name]
        held = [content for key in newest if (content := cache.get(key)) is not None]
        assert sum(map(len, held)) <= 100
        assert all(cache.get(key) in (None, content) for key, content in newest.items())
