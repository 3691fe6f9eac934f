"""The sessions of a plan as an iCalendar file (RFC 5545): a whole-day entry each, to be moved to an hour."""

from datetime import UTC, date, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from kg.documents.plan_text import FOOT, Data, phase_name
from kg.graph.terms import PAL


def calendar(plan: Data, start: date) -> bytes:
    """One event for each session, counted from the first on `start`; the same plan and start give the same bytes."""
    from icalendar import Calendar, Event

    book = Calendar()
    book.add("prodid", "-//Palpate//Treatment plan//EN")
    book.add("version", "2.0")
    for session in plan["sessions"]:
        event, day = Event(), start + timedelta(days=session["day"])
        name = f"{plan['condition']['slug']}/{plan['graph']['sha256']}/{start}/{session['number']}"
        event.add("uid", f"{uuid5(NAMESPACE_URL, PAL + name)}@palpate")
        event.add("dtstamp", datetime(start.year, start.month, start.day, tzinfo=UTC))
        event.add("dtstart", day)
        event.add("dtend", day + timedelta(days=1))
        event.add("summary", f"Session {session['number']} of {len(plan['sessions'])}: {phase_name(plan, session['phase'])}")
        steps = [f"{s['order']}. {s['label']}, {s['minutes']:g} min" for s in session["steps"]]
        measured = [f"Measure: {', '.join(session['reassess'])}"] if session["reassess"] else []
        event.add("description", "\n".join([f"{plan['condition']['label']}, {session['minutes']:g} minutes", *steps, *measured, FOOT]))
        book.add_component(event)
    return bytes(book.to_ical())
