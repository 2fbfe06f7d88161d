"""Topics as people and programs see them: chips, filters, scope, and experts' labels."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from docintel.models import ModelVersion
from ingestion.models import Document, Topic, TopicLabel
from tests.small_corpus import document, source

pytestmark = pytest.mark.django_db


@pytest.fixture
def filed() -> Document:
    row = document(["Crude oil rose."], title="Oil note")
    document(["Nothing of the kind."], title="Other note")
    classifier = ModelVersion.objects.create(name="test", version="1", digest="0")
    for key, probability in (("oil_gas", 0.9), ("shipping", 0.3)):
        row.topics.create(topic_id=key, probability=probability, classifier=classifier)
    return row


@pytest.fixture
def client_of_eve(eve) -> Client:
    client = Client()
    client.force_login(eve)
    return client


def test_likely_topics_are_chips_and_unlikely_ones_are_not(filed, client_of_eve):
    for address in (filed.get_absolute_url(), reverse("ingestion:documents")):
        page = client_of_eve.get(address).content.decode()
        assert '<ul class="topics"' in page
        assert 'href="/documents/?topic=oil_gas"' in page
        assert 'href="/documents/?topic=shipping"' not in page


def test_the_list_is_filtered_by_topic_and_an_unknown_one_filters_nothing(filed, client_of_eve):
    page = client_of_eve.get("/documents/?topic=oil_gas").content.decode()
    assert "Oil note" in page
    assert "Other note" not in page
    assert "Other note" in client_of_eve.get("/documents/?topic=tulips").content.decode()


def test_the_api_lists_filters_and_refuses_an_unknown_topic(filed, client_of_eve):
    found = client_of_eve.get("/api/v1/documents/?topic=oil_gas&topic=mergers").json()["results"]
    assert [row["title"] for row in found] == ["Oil note"]
    topics = [{"key": "oil_gas", "name": "Oil and gas", "probability": 0.9}]
    assert found[0]["topics"] == topics
    assert client_of_eve.get(found[0]["url"]).json()["topics"] == topics
    assert client_of_eve.get("/api/v1/documents/?topic=shipping").json()["results"] == []
    refused = client_of_eve.get("/api/v1/documents/?topic=tulips")
    assert refused.status_code == 400
    assert "topic" in str(refused.json())


def test_a_search_is_confined_to_a_topic(filed, client_of_eve):
    found = client_of_eve.get("/api/v1/search/?q=crude+nothing&topic=oil_gas").json()["passages"]
    assert {hit["document"]["title"] for hit in found} == {"Oil note"}
    page = client_of_eve.get("/?q=crude+nothing&topic=oil_gas").content.decode()
    assert "Oil note" in page
    assert "Other note" not in page


def test_a_topic_switched_off_is_gone_from_menus_filters_and_chips(filed, client_of_eve):
    Topic.objects.filter(key="oil_gas").update(active=False)
    page = client_of_eve.get("/documents/").content.decode()
    assert "oil_gas" not in page
    assert client_of_eve.get("/api/v1/documents/?topic=oil_gas").status_code == 400
    assert "Oil and gas" not in client_of_eve.get("/?q=crude").content.decode()


def test_an_expert_labels_and_the_label_says_who(filed, client_of_eve, eve):
    values = {"document": filed.pk, "topic": "oil_gas", "applies": "on"}
    client_of_eve.post("/admin/ingestion/topiclabel/add/", values)
    label = TopicLabel.objects.get()
    assert (label.document, label.topic_id, label.applies, label.labelled_by) == (
        *(filed, "oil_gas"),
        *(True, eve),
    )


def test_nobody_labels_what_they_may_not_see(client_of_eve):
    hidden = document(["Secret."], origin=source("Vault", "operator"))
    values = {"document": hidden.pk, "topic": "oil_gas", "applies": "on"}
    answer = client_of_eve.post("/admin/ingestion/topiclabel/add/", values)
    assert answer.status_code == 200
    assert not TopicLabel.objects.exists()
    missing = client_of_eve.post(
        "/admin/ingestion/topiclabel/add/", {**values, "document": 987_654}
    )
    assert missing.status_code == 200


def test_an_expert_rewrites_a_description(client_of_eve):
    values = {"description": "Barrels and wells. Pipelines.", "active": "on"}
    client_of_eve.post("/admin/ingestion/topic/oil_gas/change/", values)
    topic = Topic.objects.get(key="oil_gas")
    assert topic.edited
    assert topic.description == "Barrels and wells. Pipelines."
