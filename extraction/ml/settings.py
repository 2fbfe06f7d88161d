"""How a tagger is built, as it stands in its folder's `tagger.json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from extraction.ml import shapes
from extraction.ml.calibration import Calibration
from extraction.ml.errors import BadArtefact
from extraction.ml.tags import BadLabels, TagScheme
from extraction.ml.windows import LENGTH, STRIDE

FORMAT = 1
MATCHES = ("exact", "overlap")


@dataclass(frozen=True, slots=True)
class Design:
    """What is learned; every field changes the shapes or the meaning of the weights.

    `rank` 0 tunes the whole encoder instead of low-rank additions (Hu et al. 2021). `match` says
    what a confidence is the probability of: exactly this span, or one that shares at least half
    of its characters with a true one.
    """

    groups: tuple[tuple[str, ...], ...]
    rank: int = 16
    hidden: int = 256
    type_feature: bool = True
    crf: bool = True
    length: int = LENGTH
    stride: int = STRIDE
    match: str = "exact"

    @property
    def scheme(self) -> TagScheme:
        return TagScheme(self.groups)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything in `tagger.json`: design, what it stands on, and how its scores are read.

    `thresholds`: the confidence from which a label's spans are delivered, fitted on held-out texts.
    """

    design: Design
    encoder: str
    encoder_digest: str
    tokenizer_digest: str
    calibration: Calibration = field(default_factory=Calibration)
    thresholds: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "shapes": list(shapes.NAMES), **asdict(self)}


def from_json(content: Any) -> Sheet:
    """Raises `BadArtefact` for anything that `as_json` did not write."""
    if not isinstance(content, dict):
        raise BadArtefact("tagger.json holds no object.")
    if content.get("format") != FORMAT:
        raise BadArtefact(
            f"tagger.json has format {content.get('format')!r}; {FORMAT} is read here."
        )
    if content.get("shapes") != list(shapes.NAMES):
        raise BadArtefact("tagger.json was made for other features of words.")
    try:
        design = _design(content["design"])
        calibration = Calibration.from_json(content["calibration"])
        texts = {name: content[name] for name in ("encoder", "encoder_digest", "tokenizer_digest")}
        thresholds = {str(k): float(v) for k, v in content["thresholds"].items()}
    except KeyError as error:
        raise BadArtefact(f"tagger.json lacks {error}.") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise BadArtefact(f"tagger.json cannot be read: {error}") from error
    if not all(isinstance(text, str) for text in texts.values()):
        raise BadArtefact("tagger.json does not name its encoder and tokenizer.")
    unknown = set(thresholds) - set(design.scheme.labels)
    if unknown:
        raise BadArtefact(f"tagger.json has a threshold for no label: {', '.join(sorted(unknown))}")
    return Sheet(
        design=design,
        calibration=calibration,
        thresholds=thresholds,
        metrics=dict(content.get("metrics") or {}),
        **texts,
    )


def _design(content: dict[str, Any]) -> Design:
    kinds = {"rank": int, "hidden": int, "length": int, "stride": int, "match": str}
    kinds |= {"type_feature": bool, "crf": bool}
    unknown = set(content) - {each.name for each in fields(Design)}
    if unknown:
        raise BadArtefact(f"tagger.json has an unknown setting: {', '.join(sorted(unknown))}")
    for name, kind in kinds.items():
        if not isinstance(content[name], kind):
            raise BadArtefact(f"tagger.json: {name} is {content[name]!r}.")
    groups = tuple(tuple(str(label) for label in group) for group in content["groups"])
    design = Design(**{**content, "groups": groups})
    if design.match not in MATCHES or not 0 < design.stride <= design.length or design.rank < 0:
        raise BadArtefact("tagger.json: match, stride or rank are out of range.")
    try:
        _ = design.scheme
    except BadLabels as error:
        raise BadArtefact(f"tagger.json: {error}") from error
    return design
