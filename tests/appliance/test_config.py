"""The configuration file, right and wrong."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vonggac.errors import ConfigError
from vonggac.registry.camera import OwnerKind
from vonggac.registry.retention import ClassLimits
from vonggac_appliance import config
from vonggac_appliance.config_keys import KEYS, Key, Kind


def test_without_a_file_everything_has_its_default(home: Path) -> None:
    loaded = config.load(home)
    assert loaded == config.parse("", "empty")
    assert loaded.cameras.stall_ns == 5_000_000_000
    assert loaded.record.cameras_per_loop == 32


def test_what_the_file_says_is_taken(home: Path) -> None:
    (home / "config.toml").write_text(
        '[cameras]\nnetworks = ["10.1.0.0/16"]\nstall = "8 s"\nretry_max = "2min"\n'
        'flood_rate = "20 Mbit/s"\n[record]\ncameras_per_loop = 4\narena = "64 MiB"\n'
    )
    loaded = config.load(home)
    assert loaded.cameras.networks == (ipaddress.ip_network("10.1.0.0/16"),)
    assert loaded.cameras.stall_ns == 8_000_000_000
    assert loaded.cameras.retry_max_ns == 120_000_000_000
    assert loaded.cameras.flood_rate_bps == 20_000_000
    assert loaded.record.cameras_per_loop == 4
    assert loaded.record.arena_bytes == 64 << 20


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        pytest.param('[cameras]\nstal = "5 s"', 2, "no key stal; allowed: networks", id="key"),
        pytest.param(
            "\n[camera]\n", 2, "no section [camera]; allowed: [backup], [cameras]", id="section"
        ),
        pytest.param("cameras = 3", 1, "no section", id="section-is-a-value"),
        pytest.param("stall = 3", 1, "no section", id="key-outside"),
        pytest.param("[cameras]\n# five\nstall = 5", 3, "a text with its unit", id="no-unit"),
        pytest.param('[cameras]\nstall = "5 m"', 2, "ms, s, min, h", id="unit"),
        pytest.param('[cameras]\nstall = "-5 s"', 2, "a text with its unit", id="negative"),
        pytest.param('[cameras]\nstall = "61 s"', 2, 'from "1 s" to "60 s"', id="too-long"),
        pytest.param("cameras.stall = true", 1, "a text with its unit", id="dotted"),
        pytest.param(
            "[record]\ncameras_per_loop = true", 2, "whole number from 1 to 32", id="bool"
        ),
        pytest.param("[record]\ncameras_per_loop = 4.0", 2, "whole number", id="float"),
        pytest.param('[cameras]\nnetworks = "10.0.0.0/8"', 2, "a list of networks", id="no-list"),
        pytest.param("[cameras]\nnetworks = []", 2, "a list of networks", id="empty-list"),
        pytest.param('[cameras]\nnetworks = ["10.0.0.1/8"]', 2, "host bits", id="host-bits"),
        pytest.param('[cameras]\n\nretry_min = "40 s"', 3, "longer than retry_max", id="order"),
        pytest.param("[cameras\n", 1, "line 1", id="syntax"),
        pytest.param("[serve]\naddress = 127", 2, "a text of at most 64", id="no-text"),
        pytest.param('[serve]\nkey = "a\\nb"', 2, "in one line", id="two-lines"),
        pytest.param("[retention.gym]\ndays_min = 1", 1, "no section", id="owner"),
        pytest.param("[retention.state]\ndays_min = -1", 2, "from 0 to 3650", id="days"),
        pytest.param("[serve]\nport = 0", 2, "from 1 to 65535", id="port"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, "config.toml")
    assert f"line {line}" in str(caught.value)
    assert words in str(caught.value)
    assert str(caught.value).startswith("config.toml")


def _read_back(loaded: config.Config, key: Key) -> Any:
    """What the one field that is called like the key, its unit behind, holds."""
    if key.section.startswith("retention"):
        kind = key.section.partition(".")[2]
        limits = loaded.retention.of(OwnerKind(kind)) if kind else loaded.retention.default
        return getattr(limits, key.name) or 0
    section = getattr(loaded, key.section)
    names = [f"{key.name}{unit}" for unit in ("", "_ns", "_bytes", "_bps")]
    (value,) = [getattr(section, name) for name in names if hasattr(section, name)]
    return value


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.section}.{key.name}")
def test_every_key_takes_its_own_default_and_bounds(key: Key) -> None:
    if key.kind is Kind.NETWORKS:
        values = [list(key.default)]
    elif key.kind is Kind.TEXT:
        values = [key.default, "", "x" * int(key.highest)]
    else:
        first = config.parse("", "config.toml") if key.default == "" else None
        default = key.default if first is None else _read_back(first, key)
        values = [default, key.lowest, key.highest]
    taken = []
    for value in values:
        written = f'"{value}"' if isinstance(value, str) else value
        text = f"[{key.section}]\n{key.name} = {written}\n"
        if key.name == "retry_min":
            text += 'retry_max = "1 h"\n'
        if key.name == "retry_max":
            text += 'retry_min = "100 ms"\n'
        taken.append(_read_back(config.parse(text, "config.toml"), key))

    assert taken[0] == _read_back(config.parse("", "config.toml"), key)
    if key.kind not in (Kind.NETWORKS, Kind.TEXT):
        default, lowest, highest = taken
        assert lowest <= default <= highest
        assert lowest < highest


def test_a_kind_of_owner_takes_what_it_does_not_say_from_all() -> None:
    text = "[retention]\ndays_min = 14\ndays_max = 90\n[retention.school]\ndays_max = 7\n"
    loaded = config.parse(text, "config.toml").retention

    assert loaded.of(OwnerKind.STATE) == ClassLimits(14, 90, 5)
    assert loaded.of(OwnerKind.SCHOOL) == ClassLimits(14, 7, 5)
    assert loaded.of(OwnerKind.HOUSEHOLD) == ClassLimits(14, 30, 5)


def test_a_file_that_is_no_text_is_named(home: Path) -> None:
    (home / "config.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="UTF-8"):
        config.load(home)
    (home / "config.toml").unlink()
    (home / "config.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(home)


@given(st.text(max_size=60))
def test_any_text_is_a_configuration_or_an_error(text: str) -> None:
    # A text that happens to be right is fine, and a wrong one has this error and no other.
    with contextlib.suppress(ConfigError):
        config.parse(text, "config.toml")


@pytest.mark.parametrize(
    ("address", "is_inside"),
    [
        ("127.0.0.1", True),
        ("192.168.4.5", True),
        ("8.8.8.8", False),
        ("::ffff:10.0.0.3", True),
        ("::ffff:8.8.8.8", False),
        ("fe80::1", True),
        ("2001:db8::1", False),
    ],
)
def test_an_address_lies_in_the_camera_networks_or_not(address: str, is_inside: bool) -> None:
    cameras = config.parse("", "empty").cameras
    assert (config.network_of(cameras, ipaddress.ip_address(address)) is not None) is is_inside
