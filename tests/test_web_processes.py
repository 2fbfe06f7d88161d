"""Several processes of the pages share a port, and what the database has connections for."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from docintel.serving_options import Serving
from docintel.supervising import shares, uvicorn


def test_one_process_is_started_as_ever() -> None:
    assert "--workers" not in uvicorn(8000)
    assert Serving.of({"port": 1, "workers": 2, "llm": "", "trainer": False, "web": 0}).web == 1


@pytest.mark.parametrize(("processes", "pages", "questions"), [(1, 12, 16), (3, 4, 5), (40, 2, 2)])
def test_several_divide_turns(
    settings: LazySettings, processes: int, pages: int, questions: int
) -> None:
    settings.PAGES_AT_ONCE, settings.ASK_THREADS = 12, 16
    expected = {"PAGES_AT_ONCE": str(pages), "ASK_THREADS": str(questions)}
    assert shares(processes) == expected
    if processes > 1:
        command = uvicorn(8000, processes)
        assert command[command.index("--workers") + 1] == str(processes)
