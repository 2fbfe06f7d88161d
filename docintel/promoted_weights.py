"""Which weights serve where a person or the gate promoted others than a setting names.

The setting says what serves first. A version that was promoted since has its place, until the
setting names yet another.
"""

from __future__ import annotations

from django.conf import settings

from docintel import artefacts, registry, rerankers, weights
from docintel.artefacts import ArtefactDamaged
from docintel.models import ModelVersion
from docintel.rerankers import RerankerWeights
from docintel.weights import WeightsUnavailable

RERANKER = "reranker"


def live_reranker() -> RerankerWeights:
    """What the live cross-encoder is made of. Raises WeightsUnavailable, also where it is off."""
    named = rerankers.describe()
    found = registry.live(RERANKER)
    if found is None or not found.files or not registry.outranks(found, named.name, named.digest):
        return named
    return reranker_of(found)


def reranker_of(version: ModelVersion) -> RerankerWeights:
    """What this version is made of, live or not. Raises WeightsUnavailable."""
    try:
        return rerankers.describe_folder(artefacts.open_folder(version))
    except ArtefactDamaged as error:
        raise WeightsUnavailable(str(error)) from error


def embedder_source(version: ModelVersion) -> str:
    """What `weights` knows the files of this embedder by: a known name, or a folder.

    Raises WeightsUnavailable.
    """
    if version.files:
        try:
            return str(artefacts.open_folder(version))
        except ArtefactDamaged as error:
            raise WeightsUnavailable(str(error)) from error
    if version.version in weights.KNOWN:
        return version.version
    if weights.version(settings.EMBEDDING_MODEL) == version.version:
        return str(settings.EMBEDDING_MODEL)
    raise WeightsUnavailable(
        f"{version} has no files here: neither a known model, nor kept, nor EMBEDDING_MODEL"
    )
