"""Reciprocal rank fusion: both halves count, equal scores go by id."""

from __future__ import annotations

import pytest

from qa.fusion import reciprocal_rank_fusion


def test_what_both_halves_found_comes_first() -> None:
    fused = reciprocal_rank_fusion([1, 2, 3], [4, 3, 5])
    assert [identifier for identifier, _ in fused] == [3, 1, 4, 2, 5]
    assert dict(fused)[3] == pytest.approx(1 / 63 + 1 / 62)


def test_one_half_alone_keeps_its_order() -> None:
    assert [pk for pk, _ in reciprocal_rank_fusion([9, 4, 7], [])] == [9, 4, 7]


def test_nothing_fuses_to_nothing() -> None:
    assert reciprocal_rank_fusion([], []) == []


def test_ties_are_ordered_by_id() -> None:
    assert [pk for pk, _ in reciprocal_rank_fusion([8], [2])] == [2, 8]


def test_a_small_k_trusts_the_first_ranks_more() -> None:
    halves = ([1, 2, 3], [4, 3, 2])
    assert reciprocal_rank_fusion(*halves, k=0)[0][0] == 1
    assert reciprocal_rank_fusion(*halves)[0][0] in (2, 3)
