"""The Merkle tree of RFC 6962 (section 2.1), with proofs as RFC 9162 sections 2.1.3 and 2.1.4 verify them.

    leaf  = SHA-256(0x00 || entry bytes)           node = SHA-256(0x01 || left || right)
    root of no leaves = SHA-256("")                 every hash is 32 bytes

A tree of n leaves is split at the largest power of two smaller than n. So its left part is always complete, and all
there is to keep of the past is one root per bit set in n: the frontier. Node (level, pos) is the root of the complete
subtree over leaves pos * 2**level up to, not including, (pos + 1) * 2**level; level 0 are the leaves. Complete subtrees
never change as the log grows, so they can be stored once and for ever.

Pure functions on bytes. Proofs read the stored nodes through a function, so they cost O(log n) reads.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

Node = tuple[int, int, bytes]
NodeReader = Callable[[int, int], bytes]

EMPTY_ROOT = sha256(b"").digest()


def leaf_of(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(leaves: Iterable[bytes]) -> bytes:
    """MTH(D[n]) of RFC 6962 section 2.1, in O(log n) memory."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.add(leaf)
    return frontier.root()


class Frontier:
    """A growing tree of which only the roots of its largest complete subtrees are kept, left to right."""

    __slots__ = ("_roots", "size")

    def __init__(self, size: int = 0, roots: Sequence[bytes] = ()) -> None:
        """`roots` are those of `places(size)`, in that order. Raises ValueError if there are more or fewer."""
        if len(roots) != size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(roots)}.")
        self.size = size
        self._roots = list(roots)

    @staticmethod
    def places(size: int) -> list[tuple[int, int]]:
        """(level, pos) of the complete subtrees of a tree of `size` leaves, left to right."""
        return [(level, (size >> level) - 1) for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]

    def add(self, leaf: bytes) -> list[Node]:
        """Takes the next leaf; returns the nodes above it, from level 1 up, that are complete now."""
        completed: list[Node] = []
        level, pos, root = 0, self.size, leaf
        while pos & 1:
            root = node_of(self._roots.pop(), root)
            level, pos = level + 1, pos >> 1
            completed.append((level, pos, root))
        self._roots.append(root)
        self.size += 1
        return completed

    def root(self) -> bytes:
        if not self._roots:
            return EMPTY_ROOT
        root = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            root = node_of(left, root)
        return root


def root_at(size: int, node: NodeReader) -> bytes:
    """The root over the first `size` leaves."""
    return Frontier(size, [node(*place) for place in Frontier.places(size)]).root()


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """PATH(m, D[n]) of RFC 6962 section 2.1.1: hashes that lead from leaf `index` to the root of `size` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} among {size}.")
    return list(_path(index, 0, size, node))


def _path(index: int, start: int, end: int, node: NodeReader) -> Iterator[bytes]:
    if end - start == 1:
        return
    middle = start + _split(end - start)
    if index < middle:
        yield from _path(index, start, middle, node)
        yield _root_between(middle, end, node)
    else:
        yield from _path(index, middle, end, node)
        yield _root_between(start, middle, node)


def consistency_proof(old: int, new: int, node: NodeReader) -> list[bytes]:
    """PROOF(m, D[n]) of RFC 6962 section 2.1.2: the first `old` of `new` leaves are those of the older tree."""
    if not 0 <= old <= new:
        raise ValueError(f"A tree of {new} leaves cannot extend one of {old}.")
    if old in (0, new):
        return []
    return list(_subproof(old, 0, new, node, is_known=True))


def _subproof(old: int, start: int, end: int, node: NodeReader, *, is_known: bool) -> Iterator[bytes]:
    if old == end:
        if not is_known:
            yield _root_between(start, end, node)
        return
    middle = start + _split(end - start)
    if old <= middle:
        yield from _subproof(old, start, middle, node, is_known=is_known)
        yield _root_between(middle, end, node)
    else:
        yield from _subproof(old, middle, end, node, is_known=False)
        yield _root_between(start, middle, node)


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def _root_between(start: int, end: int, node: NodeReader) -> bytes:
    """The subtree over leaves start to end, where `start` is a multiple of a power of two not smaller than its size."""
    return root_at(end - start, lambda level, pos: node(level, pos + (start >> level)))


def verifies_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    position, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            reached = node_of(sibling, reached)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            reached = node_of(reached, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and reached == root


def verifies_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """RFC 9162 section 2.1.4.2. Every tree extends the empty one, and itself, by an empty proof."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old < new or not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    reached_old = reached_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            reached_old, reached_new = node_of(sibling, reached_old), node_of(sibling, reached_new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            reached_new = node_of(reached_new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and reached_old == old_root and reached_new == new_root
