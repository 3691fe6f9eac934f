"""The state of the explorer, held in the URL: a link reproduces a view, and back and forward work.

The URL is the truth. Widgets are set from it before they are drawn, and write to it when a user changes them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from explorer.parts import engine, md
from kg.errors import PalpateError, UnknownName
from kg.graph.index import Names
from kg.graph.names import nearest

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
    """Give a widget the value that the URL states, where it shows another."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def choices(name: str, cls: str, problems: list[PalpateError], limit: int = 1) -> tuple[str, ...]:
    """The slugs that a parameter of the URL names, at most `limit`; what is not understood becomes a problem."""
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
    """What the URL of Find says: slugs, and one message for each word that the graph does not hold."""

    condition: str | None = None
    phase: str | None = None
    irritability: str | None = None
    hazards: tuple[str, ...] = ()
    red_flags: tuple[str, ...] = ()
    problems: tuple[PalpateError, ...] = field(default=(), compare=False)

    def params(self) -> dict[str, str | list[str]]:
        """The view as query parameters, named as those of the JSON API."""
        stated = {"condition": self.condition, "phase": self.phase, "irritability": self.irritability,
                  "hazard": list(self.hazards), "red_flag": list(self.red_flags)}  # fmt: skip
        return {name: value for name, value in stated.items() if value}


_SINGLE = ("condition", "phase", "irritability")
_PARAMETERS = {*_SINGLE, "hazard", "red_flag"}


def read(further: Sequence[str] = ()) -> View:
    """The view that the URL states; any label, synonym or code will do for an entity.

    Args:
        further: parameters that the page itself reads.
    """
    names, problems = engine().names, list[PalpateError]()
    known = _PARAMETERS.union(further)
    for name in sorted(set(st.query_params) - known):
        problems.append(PalpateError(f"Unknown parameter {name!r}; there are {', '.join(sorted(known))}."))
    for name in _SINGLE:
        if len(st.query_params.get_all(name)) > 1:
            problems.append(PalpateError(f"The parameter {name!r} may be given once."))
    condition = _resolved(names, st.query_params.get_all("condition")[:1], "Condition", problems)
    hazards = _resolved(names, st.query_params.get_all("hazard"), "Hazard", problems)
    red_flags = _resolved(names, st.query_params.get_all("red_flag"), "RedFlag", problems)
    phase = _stated("phase", lambda word: engine().client(phase=word).phase, problems)
    irritability = _stated("irritability", lambda word: engine().client(irritability=word).irritability, problems)
    return View(condition[0] if condition else None, phase, irritability, hazards, red_flags, tuple(problems))


def _resolved(names: Names, words: Iterable[str], cls: str, problems: list[PalpateError]) -> tuple[str, ...]:
    found = []
    for word in filter(None, words):
        try:
            found.append(names.resolve(word, cls))
        except PalpateError as error:
            problems.append(error)
    return tuple(dict.fromkeys(found))


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
    """As `write`, but hazards and red flags that were not understood stay, until somebody goes on without them.

    Args:
        view: the client.
        further: parameters of the page, to be written beside it.
    """
    params = {**view.params(), **(further or {})}
    for name, cls in (("hazard", "Hazard"), ("red_flag", "RedFlag")):
        unread = [word for word in st.query_params.get_all(name) if word and not _resolved(engine().names, [word], cls, [])]
        if unread:
            params[name] = [*params.get(name, ()), *unread]
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
