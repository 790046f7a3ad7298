import pytest

from devices.modbus.simulator import Faults
from devices.modbus.simulator.rtu import crc, wrap
from devices.modbus.simulator.wire import Mbap, Rtu


def test_faults_come_at_their_stated_rates() -> None:
    faults = Faults(drop=0.05, late=0.03, garbled=0.02, seed=1)
    for number in range(20_000):
        faults.fate(str(number))
    for fate, rate in (("drop", 0.05), ("late", 0.03), ("garbled", 0.02), ("ok", 0.90)):
        assert faults.counts[fate] / 20_000 == pytest.approx(rate, abs=0.006), fate
    assert len(faults.done) == 20_000 - faults.counts["ok"]


def test_the_same_seed_does_the_same_and_another_seed_another() -> None:
    def story(seed: int) -> list[str]:
        faults = Faults(0.2, 0.2, 0.2, seed=seed)
        return [faults.fate("u") for _ in range(100)]

    assert story(5) == story(5) != story(6)


def test_impossible_rates_are_refused() -> None:
    for rates in ((0.5, 0.4, 0.2), (-0.1, 0, 0)):
        with pytest.raises(ValueError, match="fault rates"):
            Faults(*rates)


def test_no_garbled_frame_passes_for_a_good_one() -> None:
    faults = Faults(seed=2)
    frame = wrap(5, bytes.fromhex("0308015a015600220 0ce".replace(" ", "")))
    for _ in range(5000):
        spoilt = Rtu().spoil(frame, faults)
        assert spoilt != frame
        assert len(spoilt) < 4 or crc(spoilt[:-2]) != spoilt[-2:]
    good = Mbap().wrap(5, b"\x03\x02\x00\x01", b"\x00\x07")
    assert Mbap().spoil(good, faults)[:2] != good[:2]
