"""What goes into every bundle and stands alone there: none of it imports anything of ours, and nothing runs it here."""

from pathlib import Path

_HERE = Path(__file__).parent
SCRIPT = _HERE / "bd_verify.py"
PAGE = _HERE / "index.html"
README = _HERE / "README.txt"
