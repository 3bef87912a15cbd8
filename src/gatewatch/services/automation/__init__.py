"""Automation rules at work: the change log followed, schedules kept, rules made, tried and run by hand."""

from gatewatch.services.automation.desk import AutomationDesk
from gatewatch.services.automation.dispatching import Counts, Dispatching
from gatewatch.services.automation.rulebook import Rulebook, RuleView
from gatewatch.services.automation.simulating import Simulating, Simulation
from gatewatch.services.automation.starting import NoPlaybooks

__all__ = ["AutomationDesk", "Counts", "Dispatching", "NoPlaybooks", "RuleView", "Rulebook", "Simulating", "Simulation"]
