"""The fault bench in short: nothing false is stored or verified, whatever a line does.

The long run is `bench/faults.py`; the same seeds give the same exchanges there and here.
"""

from __future__ import annotations

import pytest

from bench import plain, trial
from bench.trial import Tally

EXCHANGES = 3000


def held(kind: str, exchanges: int = EXCHANGES) -> Tally:
    """Try a kind of fault; fails where anything false was stored, verified or written twice."""
    tally = trial.tried(kind, exchanges, seed=3)
    wrong = (tally.wrong_values, tally.wrong_writes, tally.repeated_writes)
    assert wrong == (0, 0, 0), tally.examples
    assert tally.exchanges >= exchanges
    assert tally.good_values > exchanges / 2, "the units were read all the same"
    assert tally.writes["verified"] > 10, "and written"
    return tally


def test_a_line_without_faults_answers_everything() -> None:
    tally = held("clean")
    assert tally.unanswered == 0
    assert set(tally.writes) == {"verified"}


def test_late_replies_are_never_taken_for_others() -> None:
    assert held("late").unanswered > 100


def test_replies_that_come_twice_are_taken_once() -> None:
    held("duplicate")


def test_lost_requests_and_lost_replies_leave_gaps_and_nothing_else() -> None:
    assert held("lost").unanswered > 100


def test_noise_and_damage_hide_values_and_invent_none() -> None:
    assert held("noisy").unanswered > 50


def test_replies_in_pieces_are_put_together() -> None:
    assert held("split").answered > 0.9 * EXCHANGES


def test_what_is_glued_to_a_reply_is_no_part_of_it() -> None:
    held("glued")


def test_the_echo_of_an_earlier_write_confirms_none() -> None:
    held("stale echo")


def test_an_adapters_own_echo_is_no_reply_and_confirms_no_write() -> None:
    held("local echo")


def test_what_a_second_master_is_told_is_not_taken_for_our_own() -> None:
    held("second master")


def test_stuffed_bytes_are_unstuffed_though_their_pairs_are_split() -> None:
    held("stuffing")


def test_heartbeats_are_stepped_over_wherever_they_stand() -> None:
    held("heartbeats")


def test_a_transmitter_that_dials_again_brings_no_answer_to_an_older_question() -> None:
    held("re-dial")


def test_modbus_tcp_replies_belong_to_their_transaction() -> None:
    held("modbus tcp")


@pytest.mark.parametrize("kind", ["late", "duplicate", "glued", "stale echo"])
def test_the_bench_finds_what_a_master_gets_wrong_that_only_checks_frames(kind: str) -> None:
    tally = plain.tried(kind, 1500, seed=3)
    assert tally.wrong_values > 0
    assert tally.good_values > 1000


def test_the_bench_finds_nothing_wrong_where_a_line_is_clean() -> None:
    tally = plain.tried("clean", 1500, seed=3)
    assert (tally.wrong_values, tally.wrong_writes, tally.unanswered) == (0, 0, 0)


def test_the_same_seed_tells_the_same_story() -> None:
    one, other = (trial.tried("noisy", 500, seed=5) for _ in range(2))
    assert one == other
