"""Judges jobs and money: nothing lost, nothing paid twice, nothing forgotten, and sums that are true."""

from collections.abc import Iterator

from batchgen.selftest.evidence import Evidence


def lost(found: Evidence) -> Iterator[str]:
    """1: every job is there, and is stored, or in doubt where that is allowed."""
    good = {"Stored", "InDoubt"} if found.case.held else {"Stored"}
    heads = found.journal.heads
    for job in found.case.prompts:
        kind = heads[job].kind if job in heads else "nowhere"
        if kind not in good:
            yield f"1: job {job} ends as {kind}"
    for job in heads.keys() - found.case.prompts.keys():
        yield f"1: a job {job} that nobody asked for"


def twice(found: Evidence) -> Iterator[str]:
    """2: what was paid more than once is listed as sent again."""
    milestones = found.journal.milestones.items()
    resent = {job for (job, _), each in milestones if each.kind == "Planned" and each.attempt > 0}
    heads = found.journal.heads
    for job, tasks in found.paid.items():
        if len(tasks) > 1 and (job not in heads or heads[job].job not in resent):
            yield f"2: job {job} was paid {len(tasks)} times"


def orphans(found: Evidence) -> Iterator[str]:
    """3: every task that was paid for is in the journal, or its job is in doubt."""
    known = {each.body["task_id"] for each in found.journal.milestones.values() if each.kind == "Accepted"}
    doubtful = {job for job, head in found.journal.heads.items() if head.kind == "InDoubt"}
    for job, tasks in found.paid.items():
        for task in set(tasks) - known:
            if job not in doubtful:
                yield f"3: task {task} of job {job} was paid and nobody knows it"


def over_the_cap(found: Evidence) -> Iterator[str]:
    """7: no more is reserved, spent or in doubt than was allowed."""
    if found.case.cap_micro_usd is None:
        return
    total = sum(head.exposed_micro_usd for head in found.journal.heads.values())
    if total > found.case.cap_micro_usd:
        yield f"7: {total} micro-USD are reserved or spent, {found.case.cap_micro_usd} are allowed"


def miscounted(found: Evidence) -> Iterator[str]:
    """7: the sums that stand beside the milestones, counted again."""
    for name, kinds in (("spent", {"Stored", "Generated"}), ("reserved", {"Started", "Accepted"})):
        heads = found.journal.heads.values()
        counted = sum(head.exposed_micro_usd for head in heads if head.kind in kinds)
        told = found.journal.money.get(name, 0)
        if told < counted:
            yield f"7: the journal counts {told} micro-USD {name}, its milestones {counted}"


def acknowledged(found: Evidence) -> Iterator[str]:
    """9: every milestone of which the journal said that it is written is there."""
    for fact in found.noted:
        if "appended" in fact:
            job, position, kind = fact["appended"]
            written = found.journal.milestones.get((job, position))
            if written is None or written.kind != kind:
                yield f"9: {kind} of job {job} was acknowledged and is lost"


def unlisted(found: Evidence) -> Iterator[str]:
    """9: every task that the gateway has sold is in its list."""
    listed = {line["task_id"] for line in found.gateway.paid}
    for fact in found.noted:
        if fact.get("bought") and fact["bought"] not in listed:
            yield f"9: task {fact['bought']} was sold and is not in the gateway's list"
