"""A private address for a calendar is as good as a sign-in, for whoever knows it."""

from breachdesk.accounts.ways_in import way_in
from regulators.actions import end_calendar_feed

way_in(end_calendar_feed)
