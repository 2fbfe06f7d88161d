"""The process roles. `web` must never load torch or OpenVINO; the others may."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    WEB = "web"
    WORKER = "worker"
    INFERENCE = "inference"
    TRAINER = "trainer"
    LLM = "llm"
    MANAGE = "manage"

    @property
    def may_load_models(self) -> bool:
        return self is not Role.WEB
