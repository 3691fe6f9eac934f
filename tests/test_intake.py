"""Intake of notes: what is found, what is said of it, what is not understood, and what no note may do."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner

import kg
from kg.errors import PalpateError
from kg.reasoning.intake import Intake
from kg.serving.api import routes
from kg.serving.cli import app
from tests import intake_scores

LISTS = ("conditions", "hazards", "red_flags", "pathologies")
READINGS = intake_scores.readings


def slugs(answer: Intake, name: str = "hazards") -> set[str]:
    """What an answer holds of one list as present or suspected, with the wider hazards of each."""
    knowledge = kg.load().knowledge
    present = [item.slug for item in getattr(answer, name) if item.acts]
    return {wider for slug in present for wider in (slug, *knowledge[slug].all("subHazardOf"))}


def items(answer: Intake) -> list[Any]:
    return [item for name in LISTS for item in getattr(answer, name)]


# ---------------------------------------------------------------------- how well
def test_recall_of_what_is_dangerous() -> None:
    dangerous = intake_scores.total(lists=("hazards", "red_flags"))
    assert dangerous.recall >= 0.97
    assert dangerous.precision >= 0.85
    assert dangerous.wrong_negation <= 0.02 * dangerous.found


@pytest.mark.parametrize("number", range(len(READINGS())))
def test_referral_and_what_is_not_understood(number: int) -> None:
    reading = READINGS()[number]
    answer, note = reading.answer, reading.note
    if "referral" in note:
        assert (answer.referral.urgency if answer.referral else "none") == note["referral"]
    for words in note.get("unread", ()):
        assert any(words in line for line in answer.unread), f"{words!r} is silently dropped"


def test_every_note_is_of_use() -> None:
    knowledge = kg.load().knowledge
    for reading in READINGS():
        for name, cls in (("conditions", "Condition"), ("hazards", "Hazard"), ("red_flags", "RedFlag")):
            for entry in reading.note.get(name, ()):
                assert knowledge[entry.lstrip("-/<~^")].is_a(cls), (reading.note["id"], entry)
    assert len(READINGS()) >= 80


# ---------------------------------------------------------------------- every name, in every context
NAMED = [(node.slug, kind, name) for kind, cls in (("red_flags", "RedFlag"), ("hazards", "Hazard"), ("conditions", "Condition"))
         for node in kg.load().knowledge.of_class(cls)
         for name in (*node.all("skos:hiddenLabel"), *node.all("noteName"))]  # fmt: skip


def test_every_wording_is_found() -> None:
    missed = [(slug, name) for slug, kind, name in NAMED
              if slug not in {item.slug for item in getattr(kg.intake(f"Presents with {name}."), kind)}]  # fmt: skip
    assert missed == []


@pytest.mark.parametrize(("frame", "holds"), [
    ("Denies {}.", lambda item: item.negated), ("No evidence of {}.", lambda item: item.negated),
    ("Her mother had {}.", lambda item: item.family), ("Possible {}.", lambda item: not item.certain),
    ("Return to the ED if you develop {}.", lambda item: item.hypothetical),
])  # fmt: skip
def test_every_wording_in_context(frame: str, holds: Any) -> None:
    wrong = [(name, item.slug, item.text) for _, _, name in NAMED for item in items(kg.intake(frame.format(name))) if not holds(item)]
    assert wrong == []


def test_what_is_denied_of_the_family_or_only_possible_later_never_refers() -> None:
    for slug, _, name in NAMED:
        for frame in ("Denies {}.", "FH: {}", "Return precautions: {}"):
            assert kg.intake(frame.format(name)).referral is None, (slug, name)


def test_every_red_flag_has_words() -> None:
    knowledge = kg.load().knowledge
    silent = [node.slug for node in knowledge.of_class("RedFlag")
              if node.properties.get("readInNotes", (True,))[0]
              and not any(node.all(name) for name in ("skos:hiddenLabel", "noteName", "notePattern", "skos:altLabel"))]  # fmt: skip
    assert silent == []


# ---------------------------------------------------------------------- single readings
@pytest.mark.parametrize(("note", "hazard", "sign"), [
    ("No fever or chills but on warfarin.", "anticoagulants", ""),
    ("r/o DVT", "deep-vein-thrombosis", "/"), ("?DVT", "deep-vein-thrombosis", "/"), ("DVT?", "deep-vein-thrombosis", "/"),
    ("DVT was ruled out.", "deep-vein-thrombosis", "-"), ("DVT cannot be excluded.", "deep-vein-thrombosis", "/"),
    ("DVT: no", "deep-vein-thrombosis", "-"), ("[ ] DVT", "deep-vein-thrombosis", "-"), ("[x] Epilepsy", "seizures", ""),
    ("Not only epilepsy but also asthma.", "seizures", ""), ("No change in her lymphedema.", "lymphedema", ""),
    ("FH: father with hemophilia", "bleeding-disorder", "~"), ("Watch for seizures.", "seizures", "^"),
    ("Afebrile", "fever", "-"), ("Allergies: aspirin", "nsaid", "-"), ("Allergies: latex", "skin-allergy", ""),
    ("Allergies: narcotics", "opioids-sedatives", "-"), ("Avoid NSAIDs due to bleeding risk.", "bleeding-risk", ""),
    ("Cannot tolerate statins, statin myopathy", "statin-muscle-damage", ""), ("Avoid phenytoin, osteoporosis.", "osteoporosis", ""),
    ("Previously on prednisone.", "corticosteroids-long-term", "<"), ("deneis epilepsy", "seizures", "-"),
    ("CKD\nDVT: none\nPacemaker", "pacemaker", ""), ("DENIES DVT. HAS A PACEMAKER.", "pacemaker", ""),
    ("<b>Epilepsy</b><script>no epilepsy</script>", "seizures", ""),
    ("Fell yesterday, # ribs 6-8.", "fracture-acute", ""), ("Fall, #5th metatarsal.", "fracture-acute", ""),
    ("BP: 196/118, no symptoms.", "hypertension-severe", ""), ("BP was 88/50.", "hypotension", ""), ("Temp 101.3F.", "fever", ""),
    ("Platelets today: 38,000.", "thrombocytopenia", ""), ("Platelets of 45.", "thrombocytopenia", ""), ("Hgb 7.2", "anemia", ""),
    ("T6 complete SCI", "autonomic-dysreflexia-risk", ""), ("sickle cell trait", "sickle-cell-disease", "-"),
    ("Meds - Concor, ramipril.", "beta-blockers", ""), ("laryngeal ca, neck dissection 2019", "lymphedema-risk-region", "<"),
])  # fmt: skip
def test_what_a_note_says(note: str, hazard: str, sign: str) -> None:
    found = {intake_scores.status(item) for item in kg.intake(note).hazards
             if hazard in (item.slug, *kg.load().knowledge[item.slug].all("subHazardOf"))}  # fmt: skip
    assert found == {sign}


@pytest.mark.parametrize("note", [
    "#1 plantar fasciitis #2 knee pain", "BP 142/88, weight 185 lb.", "BP 118/72 HR 76 T 36.8 SpO2 98%.",
    "Platelets 245, Hgb 13.2, glucose 5.4, INR 1.0.",
    "Left neglect after the stroke.",
])  # fmt: skip
def test_a_number_within_its_range_is_no_hazard(note: str) -> None:
    assert {item.slug for item in kg.intake(note).hazards} <= {"stroke-recent"}


@pytest.mark.parametrize(("note", "flag"), [
    ("2 weeks post partum, left calf swollen.", "dvt-calf-swelling"), ("LBP, pulsing in the belly.", "aaa-pulsatile-mass"),
    ("New left sided headache and ptosis.", "drooping-lid-small-pupil-with-head-neck-pain"),
    ("Diabetic. Foot warm, red and swollen, painless.", "warm-swollen-foot-neuropathy"),
    ("Weak grip, twitching in both arms.", "mnd-painless-weakness"), ("Temp 38.6, knee swollen and hot.", "hot-single-joint"),
    ("Shoulder pain, no relation to movement, comes on climbing stairs and goes away at rest.", "exertion-pain-jaw-neck-arm-back"),
])  # fmt: skip
def test_disease_in_everyday_words_is_referred(note: str, flag: str) -> None:
    answer = kg.intake(note)
    assert flag in {item.slug for item in answer.red_flags if item.acts and not item.historical}
    assert answer.referral


@pytest.mark.parametrize("note", [
    "Shoulder pain worse with overhead activity, relieved with rest.", "Neck pain with computer work, better with rest.",
    "LBP worse with lifting, relieved by rest.", "TMJ pain worse with chewing, sore jaw muscles.",
    "Long term prednisolone, frail.", "Lost 10 kg, weight loss on purpose.",
    "Muscle soreness of the chest, reproducible by palpation, no dyspnea.",
])  # fmt: skip
def test_a_harmless_likeness_is_not_referred(note: str) -> None:
    assert kg.intake(note).referral is None


def test_weeks_alone_are_no_pregnancy() -> None:
    found = kg.intake("Swollen knuckles of both hands, stiffness 2 h, for 6 weeks.").red_flags
    assert {item.slug for item in found} == {"soft-swollen-joints-long-morning-stiffness"}


def test_long_cortisone_counts_beside_back_pain() -> None:
    assert kg.intake("Long term prednisolone. Low back pain.").referral


def test_a_capitalized_word_behind_takes_is_shown_as_unread() -> None:
    assert {"Zorvolex", "Kisunla"} <= set(kg.intake("On Zorvolex since May. Takes Kisunla, and walks on Monday.").unread)
    assert not {"Plavix", "Monday"} & set(kg.intake("Takes Plavix, walks on Monday.").unread)


def test_the_past_becomes_what_remains() -> None:
    answer = kg.intake("DVT in 2011.")
    assert [(item.slug, item.historical, item.year) for item in answer.hazards] == [("thrombosis-risk", True, "2011")]


def test_side_phase_and_spelling() -> None:
    item = kg.intake("Chronic L lateral epicondilitis.").conditions[0]
    assert (item.slug, item.side, item.phase, item.spelling) == ("lateral-elbow-tendinopathy", "left", "chronic", "epicondylitis")


def test_codes() -> None:
    answer = kg.intake("I26.99\nM72.2\nE1142\nQ99.99\nT12 level, B12 deficiency, HbA1C 7.1")
    assert {"pulmonary-embolism", "diabetes-neuropathy"} <= slugs(answer)
    assert slugs(answer, "conditions") == {"plantar-fasciitis"}
    assert "Q99.99" in answer.unread
    assert not any("T12" in line for line in answer.unread if line == "T12")


def test_a_suspected_disease_refers_a_known_one_of_the_past_does_not() -> None:
    suspected = kg.intake("Suspected lung cancer.").referral
    assert suspected
    assert suspected.urgency == "urgent"
    assert suspected.reasons[0].slug == "lung-cancer"
    assert kg.intake("Lung cancer, under treatment.").referral is None
    assert kg.intake("Subarachnoid hemorrhage in 2009.").referral is None
    acute = kg.intake("Subarachnoid hemorrhage.").referral
    assert acute
    assert acute.urgency == "emergency"


def test_cancer_of_the_past_refers_beside_back_pain_only() -> None:
    assert kg.intake("History of breast cancer. Tennis elbow.").referral is None
    with_back_pain = kg.intake("History of breast cancer. Chronic low back pain.").referral
    assert with_back_pain
    assert with_back_pain.urgency == "urgent"


# ---------------------------------------------------------------------- any text
_PIECES = st.sampled_from(["Denies ", "No ", "fever", "DVT", "?", "PE", ", ", ". ", "\n", " but ", "h/o ", "mother had ", "M72.2",
                           "I26.99", "<b>", "</b>", "&amp;", "back pain", "saddle anesthesia", "İ", "é", "ﬁ", "\u200b", "😀",
                           "warfarin 5 mg", "[x] ", ": no", "PMH: ", "2011", "-", "plantar facitis", "’s", "ß"])  # fmt: skip
_NOTES = st.lists(_PIECES | st.text(max_size=8), min_size=1, max_size=30).map("".join)


@given(_NOTES)
@settings(max_examples=300, deadline=None)
def test_each_item_shows_its_own_words(note: str) -> None:
    try:
        answer = kg.intake(note)
    except PalpateError:
        return
    for item in items(answer):
        assert note[item.start : item.end] == item.text != ""
    assert kg.intake(note).to_dict() == answer.to_dict()


@pytest.mark.parametrize("unit", ["no ", "(", "<", "&", "pain and ", "1.", "?", "back pain, ", "A1", '"', "chest pain sweating ", "\n"])
def test_a_note_of_the_greatest_length_is_read(unit: str) -> None:
    note = "DVT. " + unit * 30_000
    assert "deep-vein-thrombosis" in {item.slug for item in kg.intake(note[:200_000]).hazards}


@pytest.mark.parametrize(("note", "says"), [
    ("", "empty"), (" \n\t", "empty"), ("a" * 1_000_000, "at most"), ("%PDF-1.7 x", "no plain text"), ("x\x00y", "no plain text"),
    ('{"a": ', "no valid JSON"), ('{"a": 1}', "no resourceType"), ('{"resourceType": "Patient"}', "these are read"),
    ('{"resourceType": "Condition", "code": 5}', "not valid at Condition"),
    ('{"resourceType": "Bundle", "entry": 7}', "not valid"),
    ('{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Nonsense"}}]}', "not valid"),
    ('{"a":' * 5000, "JSON"),
])  # fmt: skip
def test_bad_input_is_one_clear_sentence(note: str, says: str) -> None:
    with pytest.raises(PalpateError) as caught:
        kg.intake(note)
    assert says in caught.value.message
    assert len(caught.value.message) < 400
    assert "\n" not in caught.value.message


_KEYS = st.sampled_from(["code", "coding", "entry", "resource", "text", "status", "system", "display"])
_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9),
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner), max_leaves=9)  # fmt: skip


@given(_JSON, st.sampled_from(["Bundle", "Condition", "MedicationStatement", "MedicationRequest", "Procedure", "FamilyMemberHistory"]))
@settings(max_examples=100, deadline=None)
def test_broken_fhir_is_an_error_or_an_answer(content: Any, kind: str) -> None:
    resource = {**(content if isinstance(content, dict) else {"code": content}), "resourceType": kind}
    with suppress(PalpateError):  # nothing else may be raised
        kg.intake(json.dumps(resource))


# ---------------------------------------------------------------------- FHIR
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
WHO = {"subject": {"reference": "Patient/1"}}


def condition(text: str | None = None, code: str | None = None, verification: str = "confirmed",
              clinical: str = "active") -> dict[str, Any]:  # fmt: skip
    concept: dict[str, Any] = {"text": text} if text else {}
    if code:
        concept["coding"] = [{"system": ICD, "code": code}]
    system = "http://terminology.hl7.org/CodeSystem/condition-"
    return {"resourceType": "Condition", "code": concept, **WHO,
            "verificationStatus": {"coding": [{"system": system + "ver-status", "code": verification}]},
            "clinicalStatus": {"coding": [{"system": system + "clinical", "code": clinical}]}}  # fmt: skip


def bundle(*resources: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]})


def read(*resources: dict[str, Any]) -> Intake:
    note = bundle(*resources)
    answer = kg.intake(note)
    assert all(note[item.start : item.end] == item.text != "" for item in items(answer))
    return answer


@pytest.mark.parametrize(("verification", "clinical", "sign"), [
    ("confirmed", "active", ""), ("refuted", "active", "-"), ("unconfirmed", "active", "/"), ("provisional", "active", "/"),
    ("confirmed", "resolved", "<"), ("confirmed", "remission", "<"),
])  # fmt: skip
def test_fhir_status(verification: str, clinical: str, sign: str) -> None:
    answer = read(condition("Epilepsy", verification=verification, clinical=clinical))
    assert [(item.slug, intake_scores.status(item)) for item in answer.hazards] == [("seizures", sign)]


def test_fhir_entered_in_error_says_nothing() -> None:
    assert items(read(condition("Epilepsy", verification="entered-in-error"))) == []


def test_fhir_codes_medicines_procedures_allergies_and_family() -> None:
    medicine = {"resourceType": "MedicationStatement", "status": "active", **WHO, "medicationCodeableConcept": {"text": "Xarelto 20 mg"}}
    stopped = {"resourceType": "MedicationStatement", "status": "stopped", **WHO, "medicationCodeableConcept": {"text": "prednisone"}}
    ordered = {"resourceType": "MedicationRequest", "status": "active", "intent": "order", **WHO,
               "contained": [{"resourceType": "Medication", "id": "m", "code": {"text": "methotrexate"}}],
               "medicationReference": {"reference": "#m"}}  # fmt: skip
    unknown = {"resourceType": "MedicationStatement", "status": "active", **WHO, "medicationCodeableConcept": {"text": "Zorblax"}}
    done = {"resourceType": "Procedure", "status": "completed", **WHO, "code": {"text": "Total knee arthroplasty"},
            "performedDateTime": "2020-03-01"}  # fmt: skip
    allergy = {"resourceType": "AllergyIntolerance", "patient": WHO["subject"], "code": {"text": "aspirin"}}
    family = {"resourceType": "FamilyMemberHistory", "status": "completed", "patient": WHO["subject"],
              "relationship": {"text": "mother"}, "condition": [{"code": {"text": "Osteoporosis"}}]}  # fmt: skip
    other = {"resourceType": "Observation", "status": "final", "code": {"text": "pulse"}}
    answer = read(condition(code="I26.99"), condition(code="Q99.99"), medicine, stopped, ordered, unknown, done, allergy, family, other)
    assert {"pulmonary-embolism", "anticoagulants", "immunosuppressants", "joint-replacement", "corticosteroids-long-term"} <= slugs(answer)
    assert all(item.historical for item in answer.hazards if "corticosteroids" in item.slug)
    assert all(item.negated for item in answer.hazards if item.text == "aspirin")
    assert all(item.family for item in answer.hazards if item.text == "Osteoporosis")
    assert [item.year for item in answer.hazards if item.slug == "joint-replacement"] == ["2020"]
    assert {"Zorblax", "Q99.99", "Observation: 1 not read"} <= set(answer.unread)


def test_fhir_with_escapes_shows_the_string_as_it_stands() -> None:
    note = json.dumps({"resourceType": "Condition", **WHO, "code": {"text": 'Sjögren "syndrome"'}})
    answer = kg.intake(note)
    assert [note[item.start : item.end] == item.text for item in answer.hazards] == [True]


# ---------------------------------------------------------------------- surfaces
def test_command_line(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text("Denies fever. On Eliquis for AFib. Worst headache of her life.", encoding="utf-8")
    runner = CliRunner()
    shown = runner.invoke(app, ["intake", str(file)])
    assert shown.exit_code == 0
    assert "refer: emergency" in shown.output
    assert "“Eliquis”" in shown.output
    assert "(not)" in shown.output
    answer = json.loads(runner.invoke(app, ["intake", "-", "--format", "json"], input=file.read_text(encoding="utf-8")).stdout)
    assert answer["confirmed"] is False
    assert set(answer) == {
        "graph", "confirmed", "note", "conditions", "hazards", "red_flags", "pathologies", "unread", "referral"}
    assert {"slug", "label", "text", "start", "end", "negated", "certain"} <= set(answer["hazards"][0])
    binary = tmp_path / "scan.pdf"
    binary.write_bytes(bytes(range(256)))
    with pytest.raises(PalpateError, match="UTF-8"):
        runner.invoke(app, ["intake", str(binary)], catch_exceptions=False)


def test_api() -> None:
    client = TestClient(Starlette(routes=routes()))
    for sent in ({"content": "On warfarin."}, {"json": {"text": "On warfarin."}}, {"content": bundle(condition("On warfarin")),
                 "headers": {"content-type": "application/fhir+json"}}):  # fmt: skip
        answer = client.post("/api/intake", **sent)
        assert answer.status_code == 200
        assert any("arfarin" in item["text"] for item in answer.json()["hazards"])
    for sent in ({"content": b"\xff\xfe"}, {"content": ""}, {"json": {"text": 5}}, {"json": {"other": 5}}, {"content": "a" * 300_000}):
        problem = client.post("/api/intake", **sent)
        assert problem.status_code == 400
        assert problem.json()["detail"]
    assert '{"text": NOTE}' in client.post("/api/intake", json={"note": "On warfarin."}).json()["detail"]
    assert client.post("/api/intake", content=b"a" * 4_000_001).status_code == 413
    assert client.get("/api/intake").status_code == 405


def test_a_note_is_not_logged_or_kept(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    kg.intake("Zorblaxitis of Mr. Unforgettable, denies DVT.")
    with pytest.raises(PalpateError) as caught:
        kg.intake('{"resourceType": "Condition", "code": "Unforgettable"}')
    assert "Unforgettable" not in caught.value.message + caplog.text + "".join(capfd.readouterr())
    matcher = kg._reader()._matcher
    assert not any("unforgettable" in str(key) for table in vars(matcher).values() if isinstance(table, dict) for key in table)


def test_words_of_notes_are_not_in_the_code() -> None:
    """No clinical phrase stands in Python: the triggers are in the ontology."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (Path(kg.__file__).parent / "reasoning" / "intake").glob("*.py"))
    without_docs = re.sub(r'""".*?"""', "", code, flags=re.S)
    for phrase in ("denies", "no evidence", "rule out", "history of", "mother", "possible", "allerg"):
        assert phrase not in re.sub(r"#.*", "", without_docs).lower().replace("allergyintolerance", "").replace("_allergy", "")
