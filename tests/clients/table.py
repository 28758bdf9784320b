"""The results as a table client x habit; --write puts it into docs/endpoint-clients.md."""
import pathlib
import sys

HABITS = ["example", "parameters", "types", "commit", "rollback", "error", "refusal", "bulk", "catalog", "settings"]
results = [line.rstrip("\n").split("\t") for line in open(sys.argv[1], encoding="utf-8")]
clients = list(dict.fromkeys(result[1] for result in results))
by = {(result[1], result[2]): result for result in results}




def cell(client, habit):
    result = by.get((client, habit))
    if result is None:
        return "–"
    if result[0] == "FAIL":
        return "**fails**"
    return "refused" if result[3].startswith("refused") and habit != "refusal" else "yes"


table = ["| | " + " | ".join(HABITS) + " |", "| --- " * (len(HABITS) + 1) + "|"]
table += [f"| {client} | " + " | ".join(cell(client, habit) for habit in HABITS) + " |" for client in clients]
notes = [f"- {client}, {habit}: {note or 'yes'}" for state, client, habit, note in results if state == "PASS" and (note or habit not in HABITS)]
print("\n".join(table), "", *notes, "", sep="\n")

failures = [result for result in results if result[0] == "FAIL"]
for result in failures:
    print(*result, sep="  ")
if len(sys.argv) > 2 and sys.argv[2] == "--write" and not failures:
    page = pathlib.Path(__file__).parents[2] / "docs" / "endpoint-clients.md"
    head, _, _ = page.read_text(encoding="utf-8").partition("<!-- made by .ci/clients --write -->")
    page.write_text(f"{head}<!-- made by .ci/clients --write -->\n\n" + "\n".join([*table, "", *notes]) + "\n", encoding="utf-8")
print(f"{len(results) - len(failures)} passed, {len(failures)} failed")
sys.exit(1 if failures or not results else 0)
