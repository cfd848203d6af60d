"""The name of the processor tells machines apart on which int8 and fp32 differ in speed."""

import pytest

from inference.scoring import processor
from inference.scoring.processor import has_vnni, name_of, processor_name

OLD = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu sse avx2\n\nprocessor\t: 1\nmodel name\t: AMD EPYC\n"
NEW = OLD.replace("avx2", "avx2 avx512f avx512_vnni")


def test_processors_with_the_same_name_and_other_instructions_differ() -> None:
    assert name_of(OLD) == "AMD EPYC, avx2"
    assert name_of(NEW) == "AMD EPYC, avx512_vnni, avx512f, avx2"


def test_a_processor_without_a_model_name_has_its_architecture_as_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor.platform, "processor", lambda: "")  # differs between systems
    monkeypatch.setattr(processor.platform, "machine", lambda: "aarch64")
    assert name_of("processor\t: 0\nFeatures\t: fp asimddp\n") == "aarch64, asimddp"
    assert name_of("") == "aarch64"


@pytest.mark.parametrize(("cpuinfo", "expected"), [(OLD, False), (NEW, True), (OLD.replace("avx2", "avx_vnni"), True)])
def test_vnni_is_read_from_the_instructions(monkeypatch: pytest.MonkeyPatch, cpuinfo: str, expected: bool) -> None:
    monkeypatch.setattr(processor, "_cpuinfo", lambda: cpuinfo)  # the machine of the test has only one processor
    has_vnni.cache_clear()
    assert has_vnni() is expected
    has_vnni.cache_clear()


def test_this_machine_has_a_name() -> None:
    assert processor_name()
