from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.samples import Sample

from service.telemetry.tally import Tally

BOUNDS = (0.1, 1.0, 10.0)


def samples(registry: CollectorRegistry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    def key(sample: Sample) -> tuple[str, tuple[tuple[str, str], ...]]:
        return sample.name, tuple(sorted(sample.labels.items()))

    found = [sample for family in registry.collect() for sample in family.samples]
    return {key(sample): round(sample.value, 6) for sample in found if not sample.name.endswith("_created")}


class Metrics:
    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.counter = Counter("counter", "", ["kind"], registry=self.registry)
        self.gauge = Gauge("gauge", "", registry=self.registry)
        self.histogram = Histogram("histogram", "", ["kind"], buckets=BOUNDS, registry=self.registry)


values = st.one_of(st.sampled_from(BOUNDS), st.floats(0, 100, allow_subnormal=False))


@given(st.lists(st.tuples(st.sampled_from("ab"), values, st.integers(-3, 3), st.booleans())))
def test_what_is_tallied_is_in_the_end_what_would_have_been_counted(events: list[tuple[str, float, int, bool]]) -> None:
    direct, tallied, tally = Metrics(), Metrics(), Tally()
    for kind, value, step, write in events:
        direct.counter.labels(kind).inc()
        direct.gauge.inc(step)
        direct.histogram.labels(kind).observe(value)
        tally.count(tallied.counter, kind)
        tally.count(tallied.gauge, by=step)
        tally.observe(tallied.histogram, value, kind)
        if write:
            tally.write()
    tally.write()
    tally.write()
    assert samples(tallied.registry) == samples(direct.registry)
