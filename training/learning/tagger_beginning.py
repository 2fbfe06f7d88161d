"""The live tagger of a schema as what a training goes on from: its weights, encoder and design.

Trap: it knows the documents that it learned from, so nothing may be scored on them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from docintel import artefacts
from docintel.artefacts import ArtefactDamaged
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from extraction import tagging
from extraction.ml import splitting
from extraction.ml.errors import BadArtefact
from extraction.ml.folders import check_base, read_sheet
from extraction.ml.settings import Design, Sheet
from extraction.schema import SchemaSpec
from extraction.tagging import TaggerUnavailable
from training.version_marks import marks_of

if TYPE_CHECKING:
    from extraction.ml.training import Material, Plan


@dataclass(frozen=True, slots=True)
class Beginning:
    """A version, its files, and the marks of the documents that it has learned from."""

    version: ModelVersion
    folder: Path
    sheet: Sheet
    marks: frozenset[str]

    def design(self, spec: SchemaSpec, match: str) -> Design:
        """As it is built. Raises CannotScore where the schema has other labels by now."""
        design = self.sheet.design
        if design.groups != tuple(spec.groups.values()):
            raise CannotScore(
                f"{self.version} cannot be gone on from: the schema's labels or their groups are "
                "others than those it learned"
            )
        return replace(design, match=match)

    def check(self, plan: Plan) -> None:
        """Raises CannotScore where the plan's encoder is not the one it was trained on."""
        try:
            check_base(self.sheet, plan.base.folder, plan.reader)
        except BadArtefact as error:
            raise CannotScore(f"{self.version} cannot be gone on from: {error}") from error

    def unseen(self, material: Material) -> Material:
        """The material, scored on none of the documents that the version has learned from."""
        tested = [each for each in material.tested if splitting.mark(each.key) not in self.marks]
        return replace(material, tested=tested)


def opened(schema: str) -> tuple[ModelVersion, Path]:
    """The live version and its files. Raises CannotScore."""
    try:
        version = tagging.live_tagger(schema)
        if version is None:
            raise CannotScore(f"no tagger of {schema} is live; train one and promote it first")
        return version, artefacts.open_folder(version)
    except (TaggerUnavailable, ArtefactDamaged) as error:
        raise CannotScore(str(error)) from error


def live(schema: str) -> Beginning:
    """The live version. Raises CannotScore where there is none, or nothing could be scored."""
    version, folder = opened(schema)
    marks = marks_of(version)
    if marks is None:
        raise CannotScore(
            f"{version} does not say what it learned from, so what goes on from it could not be "
            "scored on what it has not seen"
        )
    try:
        return Beginning(version, folder, read_sheet(folder), marks)
    except BadArtefact as error:
        raise CannotScore(f"{version} cannot be gone on from: {error}") from error
