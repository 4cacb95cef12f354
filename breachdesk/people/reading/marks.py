"""Yes and no, as files in many languages say them."""

# An x or a tick is what people put into a spreadsheet; an empty field is no mark.
YES = (
    "yes|y|true|t|1|x|✓|✔|on|ja|j|wahr|oui|o|vrai|si|sì|sí|s|vero|verdadero|sim|verdadeiro|tak|prawda|kyllä|k|tosi|ano|a|"
    "pravda|sand|sant|ναι|evet|e|doğru|はい|是|有|真"
)
NO = (
    "no|n|false|f|0|-|off|nein|falsch|non|faux|falso|não|nao|nee|onwaar|nie|fałsz|nej|falsk|falskt|nei|ei|epätosi|ne|"
    "nepravda|όχι|hayır|h|yanlış|いいえ|否|无|無|假"
)
MARKS: dict[str, bool] = dict.fromkeys(YES.split("|"), True) | dict.fromkeys(NO.split("|"), False)


def mark_of(text: str) -> bool | None:
    """None when it is neither yes nor no."""
    return MARKS.get(text.casefold())
