"""A number of which perhaps only the ends are known, in the same words on every screen and in every sentence."""


def estimate_in_words(low: int | None, high: int | None) -> str:
    match low, high:
        case None, None:
            return "not known"
        case low, None:
            return f"at least {low:,}"
        case None, high:
            return f"at most {high:,}"
        case low, high if low == high:
            return f"{low:,}"
        case _:
            return f"{low:,} to {high:,}"
