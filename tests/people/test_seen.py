"""A key that came before is always told; one that did not hardly ever taken for one."""

from hashlib import sha256

from breachdesk.people.seen import Seen


def key(number: int) -> bytes:
    return sha256(str(number).encode()).digest()[:16]


def test_no_key_is_ever_forgotten() -> None:
    seen = Seen()
    keys = [key(number) for number in range(30_000)]
    seen.add(keys)
    assert all(seen.add(keys))


def test_new_keys_are_hardly_ever_taken_for_old_ones() -> None:
    """A hundredth of the size holds a hundredth of the keys of 4,300,000 people as well as the whole holds all."""
    seen = Seen(words=1 << 14)
    seen.add([key(number) for number in range(8_600_000 >> 7)])
    assert sum(seen.add([key(-number) for number in range(1, 2_001)])) < 40


def test_each_key_is_told_in_its_place() -> None:
    one, two, three = map(key, range(3))
    assert Seen().add([one, two, one, three, two]) == [False, False, True, False, True]
