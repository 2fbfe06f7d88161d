"""Training topics: learned from labels, live only where it is better than the default."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from docintel import encoders, registry
from docintel.models import ModelVersion
from ingestion import judging, topics
from ingestion.models import Topic, TopicLabel
from tests.small_corpus import document, unit
from training import learning_topics_if_due
from training.evaluation.topics import parse
from training.learning import labelled as labels_of
from training.learning import one_vs_rest
from training.learning.labelled import Labelled, from_corpus
from training.models import FlywheelSettings, GateVerdict, TrainingRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("equal_speed")]


@pytest.fixture(autouse=True)
def stored(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "files"


def labelled(n: int = 200, *, truth: bool = True, key: str = "oil_gas") -> Labelled:
    """Documents whose first axis says whether they are about the topic, if `truth`."""
    generator = np.random.default_rng(0)
    keys = list(Topic.objects.values_list("key", flat=True))
    labels = np.full((n, len(keys)), one_vs_rest.UNKNOWN, dtype=np.int8)
    labels[:, keys.index(key)] = wanted = np.arange(n) % 2
    passages = []
    for yes in wanted:
        sign = 1 if yes else -1
        noise = generator.normal(size=768).astype(np.float32)
        vector = noise / np.linalg.norm(noise) + (sign * 2 if truth else 0) * unit((0, 1))
        passages.append((vector / np.linalg.norm(vector))[None].astype(np.float32))
    return Labelled([f"text {number}" for number in range(n)], passages, labels)


def train(found: Labelled, monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    monkeypatch.setattr(labels_of, "from_corpus", lambda *_: found)
    call_command("train", "topics", "--from-corpus")
    return ModelVersion.objects.filter(name="topics").latest("pk")


def test_what_beats_the_default_goes_live_and_serves(monkeypatch, capsys):
    version = train(labelled(), monkeypatch)
    assert version.is_live
    assert version.metadata["topics"] == ["oil_gas"]
    verdict = GateVerdict.objects.get()
    assert (verdict.outcome, verdict.live) == ("promoted", None)
    primary = verdict.report["checks"][1]
    assert primary["candidate"] > primary["live"]
    assert verdict.report["documents"] >= 20
    assert verdict.report["detail"]["against"] == "descriptions alone"
    assert "promoted" in capsys.readouterr().out
    classifier = topics.live_classifier(encoders.live_embedder())
    column = classifier.keys.index("oil_gas")
    assert classifier.probabilities(unit((0, 1))[None])[column] > 0.9
    assert classifier.probabilities(unit((0, -1))[None])[column] < 0.1


def test_what_is_not_better_than_what_is_live_is_rejected(monkeypatch, capsys):
    live = train(labelled(), monkeypatch)
    noisy = labelled()
    # Half of what is learned from says the opposite; what is held out is right.
    wrong = np.flatnonzero(~noisy.held_out)[::2]
    column = int(np.flatnonzero((noisy.labels != one_vs_rest.UNKNOWN).any(axis=0))[0])
    noisy.labels[wrong, column] = 1 - noisy.labels[wrong, column]
    train(noisy, monkeypatch)
    candidate = ModelVersion.objects.get(name="topics", number=2)
    assert candidate.state == "rejected"
    assert registry.live("topics") == live
    assert "not shown to be better" in capsys.readouterr().out


def test_few_held_out_documents_prove_nothing(monkeypatch, capsys):
    version = train(labelled(30), monkeypatch)
    assert version.state == "candidate"
    assert "8 are needed" in capsys.readouterr().out


def test_too_few_labels_teach_nothing(monkeypatch):
    with pytest.raises(CommandError, match="no topic has 8 documents of each kind"):
        train(labelled(10), monkeypatch)


def test_experts_labels_are_read_and_what_they_did_not_say_is_unknown(eve):
    embedder = encoders.live_embedder()
    with_vectors = document(["Crude"], vectors=[unit((0, 1))], embedder=embedder)
    without = document(["Nothing yet"])
    for row in (with_vectors, without):
        row.topic_labels.create(topic_id="oil_gas", applies=False, labelled_by=eve)
    found = from_corpus(["mergers", "oil_gas"], embedder)
    assert found.ids == [with_vectors.text_sha256]
    assert found.labels.tolist() == [[one_vs_rest.UNKNOWN, 0]]
    with pytest.raises(CommandError, match="no topic has"):
        call_command("train", "topics", "--from-corpus")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{not json", "line 1 of labels.jsonl is not JSON"),
        ('{"topics": []}', "line 1 of labels.jsonl is not"),
        ('{"text": "a", "topics": "oil_gas"}', "line 1 of labels.jsonl is not"),
        ('["text"]', "line 1 of labels.jsonl is not"),
        ('{"text": "a", "topics": ["tulips"]}', "'tulips', which there is not"),
        ('{"text": "  ", "topics": []}', "no labelled documents"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(tmp_path: Path, line: str, complaint: str):
    (tmp_path / "labels.jsonl").write_text(line + "\n")
    with pytest.raises(CommandError, match=complaint):
        call_command("train", "topics", str(tmp_path))


def test_a_folder_of_labelled_texts_trains(tmp_path: Path, capsys):
    rows = [
        {"text": text.format(number), "topics": keys}
        for number in range(12)
        for text, keys in (
            ("Crude oil well {} produced barrels for the refinery.", ["oil_gas"]),
            ("The board of company {} agreed to merge with its rival.", []),
        )
    ]
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    call_command("train", "topics", str(tmp_path), "--json")
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["detail"]["live"] is False
    assert ModelVersion.objects.get(name="topics").metadata["topics"] == ["oil_gas"]


def test_nothing_named_nothing_trained(tmp_path: Path):
    with pytest.raises(CommandError, match="name a folder"):
        call_command("train", "topics")
    with pytest.raises(CommandError, match=r"holds no \.jsonl"):
        call_command("train", "topics", str(tmp_path / "nowhere"))


def test_f1_is_the_mean_over_topics_that_occur():
    labels = np.array([[1, 0, -1], [0, 0, 1], [1, 0, 0]], dtype=np.int8)
    found = np.array([[0.9, 0.9, 0.9], [0.9, 0.1, 0.9], [0.1, 0.1, 0.1]])
    assert one_vs_rest.f1_per_topic(labels, found) == pytest.approx([0.5, 1.0])
    assert one_vs_rest.macro_f1(labels, found) == pytest.approx(0.75)


def test_stories_of_editors_without_topic_or_body_are_left_out():
    story = (
        '<REUTERS TOPICS="YES"><DATE>26-FEB-1987 15:01:01.79</DATE><TOPICS>{}</TOPICS><TEXT>'
        "<TITLE>OIL &lt;UP></TITLE><BODY>{}\n Reuter\n&#3;</BODY></TEXT></REUTERS>"
    )
    text = (
        story.format("<D>crude</D><D>odd</D>", "Crude rose.")
        + story.format("", "No topic.")
        + story.format("<D>odd</D>", "Other.")
        + '<REUTERS TOPICS="YES"><TOPICS><D>crude</D></TOPICS></REUTERS>'
    )
    found = list(parse(text, {"crude": "oil_gas"}))
    assert [story.topics for story in found] == [{"oil_gas"}, set()]
    assert found[0].text.startswith("OIL <UP>\n\nCrude rose.")
    assert "Reuter" not in found[0].text


def test_topics_learn_again_when_enough_was_said(eve, monkeypatch):
    assert learning_topics_if_due.learn_if_due() is None
    for number in range(3):
        row = document([f"Story {number}"], file_name=f"{number}.txt")
        judging.say_topic(row, "oil_gas", applies=bool(number % 2), by=eve.pk)
    FlywheelSettings.objects.update_or_create(pk=1, defaults={"enough": 3})
    monkeypatch.setattr(labels_of, "from_corpus", lambda *_: labelled())
    run = learning_topics_if_due.learn_if_due()
    assert run is not None
    assert run.log.splitlines()[0].endswith("3 new labels of topics; 3 are enough")
    assert run.version is not None
    assert run.version.is_live
    assert GateVerdict.objects.get().run == run
    # What was learned from is not new any more.
    assert learning_topics_if_due.learn_if_due() is None
    FlywheelSettings.objects.update(enough=9, weekly=1)
    judging.say_topic(row, "oil_gas", applies=True, by=eve.pk)
    assert learning_topics_if_due.due() == ""
    TrainingRun.objects.update(started_at=timezone.now() - timedelta(days=8))
    TopicLabel.objects.exclude(document=row).update(labelled_at=timezone.now() - timedelta(days=9))
    assert learning_topics_if_due.due() == "1 new labels of topics in a week; 1 are enough"
