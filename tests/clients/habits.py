"""Runs one habit of a client after the other, and prints a line for each: PASS or FAIL, the client, the habit, a note."""
import sys

PAGE = """
SELECT title, score
FROM sample_data.hn.hacker_news
WHERE type = 'story'
ORDER BY score DESC
LIMIT 5
"""
failed = []


def habit(client, name):
    def run(work):
        try:
            print("PASS", client, name, work() or "", sep="\t", flush=True)
        except Exception as error:  # The line tells what went wrong, and the next habit has its turn.
            failed.append(name)
            print("FAIL", client, name, f"{type(error).__name__}: {error}".replace("\n", " ").replace("\t", " ")[:400], sep="\t", flush=True)
        return work

    return run


def refused(work, *words):
    """The work must fail, with these words in its error."""
    try:
        work()
    except Exception as error:
        missing = [word for word in words if word not in str(error)]
        assert not missing, f"the refusal does not say {missing}: {error}"
        return f"refused: {str(error).strip().splitlines()[0][:150]}"
    raise AssertionError(f"it was not refused; expected {words}")


def equal(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def done():
    sys.exit(1 if failed else 0)
