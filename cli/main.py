"""The command line: trimix <verb> key=value ..."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from trimix import __version__
from trimix.cli.verb import Verb, call
from trimix.core.errors import ConfigError
from trimix.core.registry import Registry

VERBS = Registry(
    "verb",
    {
        "import": "trimix.cli.import_data:VERB",
        "collect": "trimix.cli.collect:VERB",
        "train": "trimix.cli.train:VERB",
        "mix": "trimix.cli.mix:VERB",
        "evaluate": "trimix.cli.evaluate:VERB",
        "pipeline": "trimix.cli.pipeline:VERB",
        "report": "trimix.cli.report:VERB",
        "verify": "trimix.cli.verify:VERB",
        "doctor": "trimix.cli.doctor:VERB",
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0
    if given[0] in ("-V", "--version"):
        print(f"trimix {__version__}")
        return 0
    try:
        verb: Verb = VERBS[given[0]]
    except ConfigError as error:
        print(f"trimix: {error}", file=sys.stderr)
        return 2
    return call(verb, given[1:])


def _usage() -> str:
    lines = ["trimix <verb> key=value ...", ""]
    for name in VERBS:
        verb: Verb = VERBS[name]
        lines.append(f"  {name:<10}{verb.summary}")
    return "\n".join([*lines, "", "trimix <verb> --cfg job shows what a verb's settings are."])


if __name__ == "__main__":
    sys.exit(main())
