"""Answers as documents: Markdown, PDF, FHIR, iCalendar. Imports the reasoning; knows no route and no page."""
