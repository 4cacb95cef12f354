"""The corpus: every file that has gone wrong somewhere, made here, small on disk or never on it."""

from tests.people.reading.nasty_archives import ARCHIVES, OTHERS
from tests.people.reading.nasty_texts import TEXTS
from tests.people.reading.nasty_workbooks import WORKBOOKS

NASTY_FILES = [*TEXTS, *ARCHIVES, *OTHERS, *WORKBOOKS]
