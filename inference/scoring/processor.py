"""What processor this machine has, as the kernel tells it. Pure."""

import platform
from functools import lru_cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
# Instructions for products of 8-bit integers, and the vectors they work on. Clouds give processors of several
# generations the same name, so the name alone does not tell them apart.
_VNNI = ("avx512_vnni", "avx_vnni")
_FLAGS = (*_VNNI, "avx512f", "avx2", "asimddp", "i8mm")


@lru_cache(maxsize=1)
def processor_name() -> str:
    """Return the name of the processor with the instructions that matter for speed, such as 'AMD EPYC, avx2'."""
    return name_of(_cpuinfo())


@lru_cache(maxsize=1)
def has_vnni() -> bool:
    """Return whether the processor multiplies 8-bit integers with VNNI."""
    return any(flag in _flags_of(_cpuinfo()) for flag in _VNNI)


def name_of(cpuinfo: str) -> str:
    """Return `processor_name` from the text of /proc/cpuinfo."""
    named = _value_of(cpuinfo, "model name") or platform.processor() or platform.machine()
    flags = _flags_of(cpuinfo)
    return ", ".join([named, *(flag for flag in _FLAGS if flag in flags)])


def _flags_of(cpuinfo: str) -> set[str]:
    return set((_value_of(cpuinfo, "flags") or _value_of(cpuinfo, "Features")).split())


def _value_of(cpuinfo: str, key: str) -> str:
    """Return the first value of a key, '' without one."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def _cpuinfo() -> str:
    try:
        return _CPUINFO.read_text()
    except OSError:  # not Linux
        return ""
