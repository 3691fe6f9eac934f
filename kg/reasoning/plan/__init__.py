"""Plans of treatment over several sessions, derived from the ranking; `check` finds what is unsafe in an edited one."""

from kg.reasoning.plan.check import Finding, UnsafePlan, check
from kg.reasoning.plan.model import Plan
from kg.reasoning.plan.planner import Planner

__all__ = ["Finding", "Plan", "Planner", "UnsafePlan", "check"]
