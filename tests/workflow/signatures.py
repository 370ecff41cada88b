"""Print every rule whose names are not those of its script's ``main``; run in the project's folder."""

import ast
from pathlib import Path

from snakemake.api import ResourceSettings, SnakemakeApi
from snakemake.settings.types import OutputSettings, Quietness

#: What a rule has and its script's main does not get, unless it asks for it.
OWN = {"record", "code"}

if __name__ == "__main__":
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(ResourceSettings(cores=1), snakefile=Path("Snakefile"))._workflow
        for rule in workflow.rules:
            if rule.script:
                tree = ast.parse(Path("rules", rule.script).resolve().read_text(encoding="utf-8"))
                main = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main")
                wanted = {argument.arg for argument in (*main.args.args, *main.args.kwonlyargs)}
                named = {*rule.input._names, *rule.output._names, *rule.params._names} - (OWN - wanted)
                print(rule.name, *sorted(wanted - named), *(f"-{name}" for name in sorted(named - wanted)))
