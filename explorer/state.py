"""The state of the explorer, held in the URL: a link reproduces a view, and back and forward work.

The URL is the truth. Widgets are set from it before they are drawn, and write to it when a user changes them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import streamlit as st

from explorer.parts import engine, md
from kg.errors import PalpateError, UnknownName
from kg.graph.index import Names
from kg.graph.names import nearest
from kg.reasoning.client import Client

_ALIAS = "|"
_LAST = "last-client"


# ---------------------------------------------------------------------------------------------------- options by any name
@st.cache_resource(show_spinner=False)
def options(version: str, cls: str) -> dict[str, str]:
    """Option -> what it shows, for every name of every individual of a class; labels first, then synonyms and codes.

    An option is a slug, or for a further name the slug, a bar and that name; so a search for any name finds its entity.
    """
    knowledge, names = engine().knowledge, engine().names
    nodes = knowledge.of_class(cls)
    labels = {node.slug: node.label for node in nodes}
    shown = dict(sorted(labels.items(), key=lambda item: item[1].casefold()))
    further = {(alias, node.slug) for node in nodes for alias in (*node.all("skos:altLabel"), *node.all("skos:hiddenLabel"))
               if alias.casefold() != node.label.casefold()}  # fmt: skip
    if cls == "Condition":
        further |= {(code, slug) for code, slugs in names.codes.items() for slug in slugs if ":" not in code}
    for alias, slug in sorted(further, key=lambda pair: (pair[0].casefold(), pair[1])):
        shown[slug + _ALIAS + alias] = f"{alias}  ·  {labels[slug]}"
    return shown


def slug_of(option: str | None) -> str | None:
    """The slug that an option stands for."""
    return option.partition(_ALIAS)[0] if option else None


def keep(key: str, value: Any) -> None:
    """Give a widget the value that the URL states, where it shows another.

    A new widget is empty by itself: one that is told so sends all its options a second time, when it is no longer told.
    """
    empty = key not in st.session_state and value in (None, [])
    if not empty and (key not in st.session_state or st.session_state[key] != value):
        st.session_state[key] = value


def choices(name: str, cls: str, problems: list[PalpateError], limit: int | None = 1) -> tuple[str, ...]:
    """The slugs that a parameter of the URL names, at most `limit` of them, all for None; what is not understood becomes a problem."""
    return _resolved(engine().names, st.query_params.get_all(name), cls, problems)[:limit]


def one_of(name: str, allowed: Sequence[str], default: str = "") -> str:
    """The value of a parameter of the URL; the default where it states none, and where it is not allowed, which is told."""
    value = st.query_params.get(name, default)
    if value in allowed or not value:
        return value
    told = UnknownName(name, value, nearest(value, allowed) or [word for word in allowed if word][:5])
    st.error(md(told.message), icon=":material/search_off:")
    return default


def all_of(name: str, allowed: Sequence[str], default: Sequence[str]) -> list[str]:
    """The values of a parameter that may be given several times, as `one_of`; the default where none is left."""
    given = st.query_params.get_all(name)
    for value in given:
        if value not in allowed:
            st.error(md(UnknownName(name, value, nearest(value, allowed) or list(allowed)[:5]).message), icon=":material/search_off:")
    return [value for value in given if value in allowed] or list(default)


def put(**parameters: str | Sequence[str] | None) -> None:
    """Write parameters into the URL beside those that stand there; an empty one is taken out."""
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    params |= {name: [value] if isinstance(value, str) else list(value or ()) for name, value in parameters.items()}
    st.query_params.from_dict({name: [v for v in values if v] for name, values in params.items() if any(values)})


# ---------------------------------------------------------------------------------------------------- the client of Find
@dataclass(frozen=True, slots=True)
class View:
    """What the URL of Find says: slugs, and one message for each word that the graph does not hold.

    `dates` are those of hazards, `on` is the date of the session; without them a dated hazard is taken as undated, the safe side.
    """

    condition: str | None = None
    phase: str | None = None
    irritability: str | None = None
    hazards: tuple[str, ...] = ()
    red_flags: tuple[str, ...] = ()
    problems: tuple[PalpateError, ...] = field(default=(), compare=False)
    dates: tuple[tuple[str, date], ...] = ()
    on: date | None = None

    def client(self) -> Client:
        """The client as the engine reads it, dates included."""
        return engine().client(self.phase, self.irritability, hazard_words(self.hazards, self.dates), self.red_flags, self.on)

    def params(self) -> dict[str, str | list[str]]:
        """The view as query parameters, named as those of the JSON API."""
        stated = {"condition": self.condition, "phase": self.phase, "irritability": self.irritability,
                  "hazard": list(hazard_words(self.hazards, self.dates)), "red_flag": list(self.red_flags),
                  "on": self.on.isoformat() if self.on and self.dates else None}  # fmt: skip
        return {name: value for name, value in stated.items() if value}


_SINGLE = ("condition", "phase", "irritability", "on")
_PARAMETERS = {*_SINGLE, "hazard", "red_flag"}


def read(further: Sequence[str] = (), several: bool = False) -> View:
    """The view that the URL states; any label, synonym or code will do for an entity.

    Args:
        further: parameters that the page itself reads.
        several: whether the page takes several conditions, which it reads itself; the view holds the first.
    """
    names, problems = engine().names, list[PalpateError]()
    known = _PARAMETERS.union(further)
    for name in sorted(set(st.query_params) - known):
        problems.append(PalpateError(f"Unknown parameter {name!r}; there are {', '.join(sorted(known))}."))
    for name in _SINGLE:
        if len(st.query_params.get_all(name)) > 1 and not (several and name == "condition"):
            problems.append(PalpateError(f"The parameter {name!r} may be given once."))
    condition = _resolved(names, st.query_params.get_all("condition")[:1], "Condition", problems)
    hazards, dates, on = read_hazards(problems)
    red_flags = _resolved(names, st.query_params.get_all("red_flag"), "RedFlag", problems)
    phase = _stated("phase", lambda word: engine().client(phase=word).phase, problems)
    irritability = _stated("irritability", lambda word: engine().client(irritability=word).irritability, problems)
    return View(condition[0] if condition else None, phase, irritability, hazards, red_flags, tuple(problems), dates, on)


def _resolved(names: Names, words: Iterable[str], cls: str, problems: list[PalpateError]) -> tuple[str, ...]:
    found = []
    for word in filter(None, words):
        try:
            found.append(names.resolve(word, cls))
        except PalpateError as error:
            problems.append(error)
    return tuple(dict.fromkeys(found))


def read_hazards(problems: list[PalpateError]) -> tuple[tuple[str, ...], tuple[tuple[str, date], ...], date | None]:
    """The hazards of the URL, the dates of those that bear one, and the date of the session."""
    on = _session(problems)
    read = _hazards(st.query_params.get_all("hazard"), on, problems)
    undated = {slug for client in read if not client.dates for slug in client.hazards}
    dates = {pair for client in read for pair in client.dates if pair[0] not in undated}
    return tuple(dict.fromkeys(slug for client in read for slug in client.hazards)), tuple(sorted(dates)), on


def hazard_words(hazards: Iterable[str], dates: Sequence[tuple[str, date]]) -> tuple[str, ...]:
    """Hazards as the URL and the engine read them: each slug, with `=YYYY-MM-DD` for each of its dates."""
    return tuple(word for slug in hazards
                 for word in [f"{slug}={day.isoformat()}" for dated, day in dates if dated == slug] or [slug])  # fmt: skip


def _session(problems: list[PalpateError]) -> date | None:
    try:
        return engine().client(on=st.query_params.get("on") or None).on
    except PalpateError as error:
        problems.append(error)
        return None


def _hazards(words: Iterable[str], on: date | None, problems: list[PalpateError]) -> list[Client]:
    """One client for each word that is a hazard, with or without a date that can be used."""
    found = []
    for word in filter(None, words):
        try:
            found.append(engine().client(hazards=[word], on=on))
        except PalpateError as error:
            problems.append(error)
    return found


def _stated(name: str, resolve: Callable[[str], str | None], problems: list[PalpateError]) -> str | None:
    try:
        return resolve(st.query_params.get(name, ""))
    except PalpateError as error:
        problems.append(error)
        return None


def write(view: View) -> None:
    """Put a view into the URL, as a new entry of the browser's history."""
    st.query_params.from_dict(view.params())


def rewrite(view: View, further: Mapping[str, list[str]] | None = None) -> None:
    """As `write`, but hazards and red flags that were not understood stay, until somebody goes on without them, and so do dates.

    Args:
        view: the client.
        further: parameters of the page, to be written beside it.
    """
    _, dates, on = read_hazards([])
    params = replace(view, dates=tuple(pair for pair in dates if pair[0] in view.hazards), on=on).params() | dict(further or {})
    unread = {"hazard": [word for word in st.query_params.get_all("hazard") if word and not _hazards([word], on, [])],
              "red_flag": [word for word in st.query_params.get_all("red_flag")
                           if word and not _resolved(engine().names, [word], "RedFlag", [])]}  # fmt: skip
    for name, words in unread.items():
        if words:
            params[name] = [*params.get(name, ()), *words]
            params |= {"on": st.query_params["on"]} if "on" in st.query_params else {}
    st.query_params.from_dict(params)


def put_date(hazard: str, day: date | None, on: date) -> None:
    """Write the date of a hazard and that of the session into the URL; None takes the date away."""
    params: dict[str, Any] = {name: st.query_params.get_all(name) for name in st.query_params}
    slugs, dates, _ = read_hazards([])
    if hazard in slugs:
        kept = tuple(pair for pair in dates if pair[0] != hazard)
        new = (*kept, (hazard, day)) if day else kept
        params |= {"hazard": list(hazard_words(slugs, new)), "on": on.isoformat()}
        if not new:
            del params["on"]
    st.query_params.from_dict(params)


def picked(values: Sequence[str]) -> tuple[str, ...]:
    """The slugs of the options of a multiselect, each once."""
    return tuple(dict.fromkeys(filter(None, map(slug_of, values))))


def remember(view: View) -> None:
    """Keep the view for this session, so that other pages can lead back to the client."""
    st.session_state[_LAST] = view


def last() -> View | None:
    """The client last seen on Find in this session."""
    return st.session_state.get(_LAST)
