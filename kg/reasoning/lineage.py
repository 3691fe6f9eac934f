"""How far apart two conditions or two techniques are, in steps along `subtypeOf` or `variantOf`."""

from collections.abc import Mapping

from kg.graph.knowledge import Knowledge

Lineages = Mapping[str, Mapping[str, int]]


def lineages(knowledge: Knowledge, cls: str, prop: str) -> Lineages:
    """For each individual of a class itself and all that `prop` leads to, with the fewest direct steps to each.

    The graph holds the transitive closure; a direct step is one that no other ancestor explains.
    """
    closure = {node.slug: set(node.all(prop)) - {node.slug} for node in knowledge.of_class(cls)}
    direct = {slug: above - {further for nearer in above for further in closure[nearer]} for slug, above in closure.items()}
    found = {}
    for slug in closure:
        steps, frontier = {slug: 0}, [slug]
        while frontier:
            nearer = frontier.pop(0)
            for above in sorted(direct[nearer]):
                if above not in steps:
                    steps[above] = steps[nearer] + 1
                    frontier.append(above)
        found[slug] = steps
    return found


def kin(found: Lineages, most_steps: int) -> dict[str, dict[str, tuple[int, int]]]:
    """For each individual those related to it, with the steps up to what they share and from there down.

    All that is more general is kin, however far up; what lies down or sideways only within `most_steps` in all.
    """
    below: dict[str, list[tuple[str, int]]] = {}
    for slug, above in found.items():
        for general, steps in above.items():
            below.setdefault(general, []).append((slug, steps))
    related = {}
    for slug, above in found.items():
        nearest: dict[str, tuple[int, int]] = {}
        for general, up in above.items():
            for other, down in below[general]:
                if down and up + down > most_steps:
                    continue
                if other not in nearest or up + down < sum(nearest[other]):
                    nearest[other] = (up, down)
        related[slug] = dict(sorted(nearest.items()))
    return related
