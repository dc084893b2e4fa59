"""Where things lie in the checkout."""

from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
CONF = REPOSITORY / "conf"
PRINTED_TABLES = REPOSITORY / "tests" / "papers" / "printed_tables.json"
PRINTED_VERDICTS = REPOSITORY / "tests" / "papers" / "printed_verdicts.yaml"
