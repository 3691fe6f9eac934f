"""The forms of the answers, part by part, as the reference in docs/api.md tells them; tests hold them against real answers."""

from kg.reasoning.assess import NEGATIVE, POSITIVE
from kg.reasoning.certainty import AGAINST, CONFLICTING, MECHANISM, SUPPORTED, UNKNOWN
from kg.reasoning.plan.check import KINDS
from kg.reasoning.safety import LEVELS
from kg.serving.api.schema import (
    BOOLEAN,
    DAY,
    GRAPH,
    NUMBER,
    OBJECT,
    STRING,
    WHOLE,
    array,
    mapping,
    nullable,
    one_of,
    pair,
    record,
    words,
)  # fmt: skip

_TEXTS = array(STRING)
_MAYBE = nullable(STRING)
_URGENCY = words("Urgency")

# ---------------------------------------------------------------------------------------------------- parts of several answers
LIFTS = record(after_days=nullable(WHOLE), by=_MAYBE, from_=nullable(DAY))
REASON = record(
    hazard=STRING, label=STRING, level=one_of(LEVELS), reason=STRING, action=STRING, circumstance=_MAYBE, where=_MAYBE, basis=STRING,
    lifts=nullable(LIFTS), sourcing=STRING, sources=_TEXTS, rule=STRING, disagreement=_MAYBE, disputed_by=_TEXTS,
)  # fmt: skip
REFERRAL = nullable(record(
    urgency=_URGENCY, action=STRING,
    reasons=array(record(slug=STRING, label=STRING, pathology=_MAYBE, pathology_label=_MAYBE, urgency=_URGENCY, sourcing=STRING,
                         sources=_TEXTS)),
))  # fmt: skip
CONTEXT = {
    "phase": nullable(words("Phase")), "irritability": nullable(words("Irritability")), "hazards": _TEXTS, "red_flags": _TEXTS,
    "dates": array(record(hazard=STRING, date=DAY)), "on": nullable(DAY),
}  # fmt: skip
WITHHELD = array(record(technique=STRING, label=STRING, level=one_of(LEVELS), because=array(REASON)))
SOURCES = mapping(record(slug=STRING, title=STRING, author=_MAYBE, year=nullable(WHOLE), kind=STRING, url=_MAYBE))
_LIMIT = record(slug=STRING, label=STRING, hazards=_TEXTS, barred=BOOLEAN)
MODIFICATIONS = nullable(record(
    decision=STRING, conflict=_MAYBE,
    hazards=array(record(hazard=STRING, label=STRING, level=STRING, decision=STRING, where=_MAYBE, held_by=array(REASON))),
    position=record(avoid=array(_LIMIT), left=array(_LIMIT)), pressure=nullable(_LIMIT), area=record(avoid=array(_LIMIT)),
    minutes=nullable(record(greatest=NUMBER, hazards=_TEXTS)),
    instructions=array(record(kind=STRING, label=STRING, text=STRING, hazards=_TEXTS, basis=STRING, rules=_TEXTS, sources=_TEXTS)),
))  # fmt: skip
_CLASS = one_of((SUPPORTED, MECHANISM, CONFLICTING, AGAINST, UNKNOWN))

# ---------------------------------------------------------------------------------------------------- rank, compare, what-if, search
_COUNT = record(successes=NUMBER, failures=NUMBER)
_STEPS = record(general_condition=WHOLE, special_condition=WHOLE, general_technique=WHOLE)
_OBSERVATION = record(statement=STRING, direction=STRING, weight=NUMBER, source=STRING, cluster=STRING, steps=_STEPS, successes=NUMBER,
                      failures=NUMBER, share=nullable(NUMBER), factors=mapping(NUMBER))  # fmt: skip
_DOSE = record(("minutes", "repetitions", "frequency", "pressure", "basis", "sources"), minutes=nullable(pair(NUMBER)),
               repetitions=_MAYBE, frequency=_MAYBE, pressure=_MAYBE, basis=STRING, sources=_TEXTS)  # fmt: skip
_CLAIM = record(claim=STRING, effect=STRING, direction=STRING, tissue_type=_MAYBE, prior=NUMBER, steps=WHOLE, successes=NUMBER,
                failures=NUMBER, strength=NUMBER, evidence=_TEXTS)  # fmt: skip
_PATH = record(path=_TEXTS, strength=NUMBER, text=STRING, relieves=BOOLEAN, need=STRING, claim=STRING, relief=STRING,
               factors=record(claim=NUMBER, relief=NUMBER))  # fmt: skip
ENTRY = record(
    rank=WHOLE, band=WHOLE, technique=STRING, label=STRING, score=NUMBER, interval=pair(NUMBER), certainty=words("Certainty"),
    certainty_reason=STRING, certainty_domains=array(record(domain=STRING, down=WHOLE, reason=STRING)), scope=words("Scope"),
    class_=_CLASS, why=STRING, plausibility=NUMBER, tolerance=NUMBER, mechanism=NUMBER, record=_COUNT, doubt=NUMBER,
    prior=record(mean=NUMBER, observations=NUMBER), posterior=record(alpha=NUMBER, beta=NUMBER), evidence=array(_OBSERVATION),
    cautions=array(REASON), dose=_DOSE, claims=array(_CLAIM), rationale=array(_PATH),
)  # fmt: skip
RANKING = record(
    condition=record(slug=STRING, label=STRING, iri=STRING, in_depth=BOOLEAN), context=record(**CONTEXT), graph=GRAPH, referral=REFERRAL,
    recommended=array(ENTRY), adjuncts=array(ENTRY), withheld=WITHHELD, discuss=array(ENTRY),
    preferences=record(pressure=_MAYBE, training=_MAYBE, position=_MAYBE, clothed=BOOLEAN, no_instruments=BOOLEAN,
                       equipment=nullable(_TEXTS), spare=_TEXTS),
    set_aside=array(record(technique=STRING, label=STRING, because=_TEXTS)), modifications=MODIFICATIONS,
    needs=array(record(need=STRING, profiles=_TEXTS, impairment=STRING, label=STRING, tissue=_MAYBE, reached_in=_TEXTS,
                       whole_person=BOOLEAN, weight=NUMBER)),
    statements=mapping(record(condition=STRING, technique=STRING, outcome=STRING, phase=STRING, comparator=_MAYBE,
                              certainty=_MAYBE, summary=STRING, effect=_MAYBE, locator=_MAYBE)),
    sources=SOURCES, parameters=mapping(NUMBER),
)  # fmt: skip
COMPARISON = record(
    condition=STRING, context=record(**CONTEXT), graph=GRAPH, first=STRING, second=STRING, withheld=mapping(STRING), scores=pair(NUMBER),
    difference=NUMBER, standard_deviations=NUMBER, told_apart=BOOLEAN, parts=array(record(part=STRING, adds=NUMBER, text=STRING)),
    text=STRING,
)  # fmt: skip
_CELL = record(text=STRING, holds=BOOLEAN, statements=_TEXTS, sources=_TEXTS)
SIDE_BY_SIDE = record(
    conditions=array(record(slug=STRING, label=STRING)), context=record(**CONTEXT), graph=GRAPH, referral=REFERRAL,
    distinctions=array(record(conditions=pair(STRING), text=STRING, statement=STRING, basis=_MAYBE, sources=_TEXTS)),
    undistinguished=array(pair(STRING)),
    rows=array(record(aspect=STRING, slug=_MAYBE, label=STRING, note=STRING, shared=BOOLEAN, cells=mapping(_CELL))),
)  # fmt: skip
MOVES = record(graph=GRAPH, moves=array(record(
    without=STRING, kind=STRING, label=STRING, technique=STRING, before=NUMBER, after=NUMBER, change=NUMBER, rank_before=nullable(WHOLE),
    rank_after=nullable(WHOLE),
)))  # fmt: skip
HITS = record(graph=GRAPH, hits=array(record(slug=STRING, label=STRING, type=STRING, matched=STRING, score=NUMBER)))
ADVICE = record(condition=_MAYBE, context=record(**CONTEXT), graph=GRAPH, referral=REFERRAL, modifications=MODIFICATIONS)

# ---------------------------------------------------------------------------------------------------- screen, assess, intake
_ASKED = {"complaint": _MAYBE, "regions": _TEXTS, "age": nullable(WHOLE), "sex": nullable(words("Sex")), "present": _TEXTS,
          "absent": _TEXTS}  # fmt: skip
_SUSPECTED = array(record(pathology=STRING, label=STRING, urgency=STRING, probability=NUMBER, words=STRING, supporting=_TEXTS,
                          against=_TEXTS, not_asked=_TEXTS))  # fmt: skip
_QUESTIONS = array(record(finding=STRING, label=STRING, question=STRING, pathologies=_TEXTS, urgency=STRING, why=STRING,
                          expected_gain=NUMBER))  # fmt: skip
SCREENING = record(
    graph=GRAPH, context=record(**_ASKED), referral=REFERRAL, do_now=_TEXTS, to_client=_MAYBE, suspected=_SUSPECTED,
    considered=array(record(pathology=STRING, label=STRING)),
    rules=array(record(rule=STRING, label=STRING, target=STRING, pathology=STRING, applies=BOOLEAN, points=NUMBER, most=NUMBER,
                       reading=_MAYBE, urgency=nullable(STRING), met=_TEXTS, missing=_TEXTS, sources=_TEXTS)),
    questions=_QUESTIONS,
)  # fmt: skip
_HINTS = array(record(slug=STRING, label=STRING, answer=STRING, likelihood_ratio=NUMBER, sources=_TEXTS))
_ACCURACY = record(condition=STRING, likelihood_ratio_positive=NUMBER, likelihood_ratio_negative=NUMBER, participants=nullable(WHOLE),
                   certainty=STRING, sources=_TEXTS)  # fmt: skip
_NEXT = record(("finding", "test", "procedure", "positive_sign", "accuracy"), finding=STRING, test=STRING, label=STRING, question=STRING,
               expected_information=NUMBER, procedure=_MAYBE, positive_sign=_TEXTS, accuracy=array(_ACCURACY))  # fmt: skip
ASSESSMENT = record(
    graph=GRAPH, context=record(**_ASKED, region=_MAYBE, tests=mapping(one_of((POSITIVE, NEGATIVE)))), referral=REFERRAL, do_now=_TEXTS,
    to_client=_MAYBE, suspected=_SUSPECTED, act_on_differential=BOOLEAN, reading=STRING,
    differential=array(record(condition=STRING, label=STRING, probability=NUMBER, supporting=_HINTS, against=_HINTS)),
    other=record(probability=NUMBER, label=STRING), confidence=record(word=STRING, reason=STRING), next=array(_NEXT),
    screening=_QUESTIONS,
)  # fmt: skip
_ITEM = record(
    slug=STRING, label=STRING, text=STRING, start=WHOLE, end=WHOLE, negated=BOOLEAN, certain=BOOLEAN, historical=BOOLEAN, family=BOOLEAN,
    hypothetical=BOOLEAN, section=_MAYBE, side=_MAYBE, phase=_MAYBE, year=nullable(WHOLE), code=_MAYBE, spelling=_MAYBE, matched=STRING,
    because=_TEXTS,
)  # fmt: skip
INTAKE = record(graph=GRAPH, confirmed=BOOLEAN, note=STRING, conditions=array(_ITEM), hazards=array(_ITEM), red_flags=array(_ITEM),
                pathologies=array(_ITEM), unread=_TEXTS, referral=REFERRAL)  # fmt: skip

# ---------------------------------------------------------------------------------------------------- plan
_SERVES = record(need=STRING, impairment=STRING, label=STRING, tissue=_MAYBE, strength=NUMBER, text=STRING)
_STEP = record(
    order=WHOLE, technique=STRING, label=STRING, role=STRING, tissues=_TEXTS, antagonists=_TEXTS, intent=STRING, minutes=NUMBER,
    dose=record(minutes=NUMBER, repetitions=_MAYBE, pressure=_MAYBE, discomfort_most=WHOLE), why_here=_MAYBE, serves=array(_SERVES),
    effect_lasts_minutes=nullable(NUMBER),
    evidence=record(class_=_CLASS, certainty=words("Certainty"), score=NUMBER, interval=pair(NUMBER), statements=_TEXTS),
    cautions=array(REASON), sources=_TEXTS,
)  # fmt: skip
_HOME = record(item=STRING, label=STRING, technique=_MAYBE, instruction=STRING, dose=STRING, progression=_MAYBE, stop=_MAYBE,
               minutes_a_day=NUMBER, new=BOOLEAN, basis=STRING)  # fmt: skip
_PROTOCOL = record(protocol=STRING, condition=STRING, sessions=nullable(NUMBER), weeks=nullable(NUMBER), per_week=nullable(NUMBER),
                   minutes=nullable(NUMBER), techniques=_TEXTS, summary=STRING, sources=_TEXTS)  # fmt: skip
_GOAL = record(
    impairment=STRING, label=STRING, also=_TEXTS, weight=NUMBER, measure=STRING, measure_label=STRING, outcome=STRING,
    higher_is_better=BOOLEAN, scale=_MAYBE, baseline=nullable(NUMBER), target=nullable(NUMBER), target_change=nullable(NUMBER),
    mcid=nullable(NUMBER), mdc=nullable(NUMBER), mcid_from=_TEXTS, by_session=WHOLE, by_week=WHOLE, text=STRING, sources=_TEXTS,
)  # fmt: skip
PLAN = record(
    condition=record(slug=STRING, label=STRING, iri=STRING), context=record(**CONTEXT, minutes=NUMBER), graph=GRAPH, referral=REFERRAL,
    note=_MAYBE,
    course=nullable(record(sessions=WHOLE, weeks=WHOLE, per_week=NUMBER, minutes=NUMBER, basis=STRING, about=STRING, asked=_TEXTS,
                           protocols=array(_PROTOCOL))),
    goals=array(_GOAL),
    phases=array(record(phase=STRING, name=STRING, aim=STRING, sessions=pair(WHOLE), progress_when=_TEXTS, regress_when=_TEXTS)),
    sessions=array(record(number=WHOLE, phase=STRING, week=WHOLE, day=WHOLE, minutes=NUMBER, steps=array(_STEP), home_care=array(_HOME),
                          reassess=_TEXTS)),
    maintenance=nullable(record(every_weeks=NUMBER, times=WHOLE, reason=STRING, basis=STRING, sources=_TEXTS)), replan=_MAYBE,
    advice=_TEXTS,
    stop_and_refer_when=array(record(text=STRING, plain=_MAYBE, urgency=_MAYBE, by_session=nullable(WHOLE), red_flag=_MAYBE,
                                     pathology=_MAYBE, question=_MAYBE, sources=_TEXTS)),
    expected=nullable(record(points=array(record(week=NUMBER, remaining=NUMBER)), summary=STRING, about=STRING, basis=STRING,
                             sources=_TEXTS)),
    scores=array(OBJECT), withheld=WITHHELD, sources=SOURCES,
)  # fmt: skip
FINDINGS = record(graph=GRAPH, findings=array(record(kind=one_of(KINDS), where=STRING, message=STRING, sources=_TEXTS)))
