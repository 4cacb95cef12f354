"""Cases of rules 0 to 2: the file itself, and the notes."""

from base64 import b64decode, b64encode
from collections.abc import Callable

from tests.audit.forge import sealed, zipped
from tests.audit.forged_log import sign_note
from tests.audit.verifier.cases import (
    CASES,
    Case,
    Files,
    Told,
    case,
    edited,
    exported,
    flipped,
    lines_of,
    replaced,
    retold,
    told,
    with_about,
    with_line,
    with_lines,
)

# What is right


@case("VALID")
def a_right_bundle() -> bytes:
    return zipped(exported(told()))


@case("VALID")
def a_bundle_without_private_values() -> bytes:
    return zipped(exported(told(private=False)))


@case("VALID")
def a_whole_log() -> bytes:
    return zipped(exported(told(whole=True)))


@retold(None, "VALID")
def a_log_whose_key_was_changed() -> Told:
    story = told()
    story.forge.rotate()
    return story


# Rule 0: bytes of the ZIP


def raw() -> bytes:
    return zipped(exported(told()))


@case("INVALID", 0)
def nothing_at_all() -> bytes:
    return b""


@case("INVALID", 0)
def a_file_cut_short() -> bytes:
    return raw()[:-700]


@case("INVALID", 0)
def a_byte_at_the_end() -> bytes:
    return raw() + b"\0"


@case("INVALID", 0)
def a_byte_at_the_start() -> bytes:
    return b"\0" + raw()


@case("INVALID", 0)
def another_date_in_a_header() -> bytes:
    whole = bytearray(raw())
    whole[12] ^= 1
    return bytes(whole)


@case("INVALID", 0)
def a_flipped_bit_of_content() -> bytes:
    whole = bytearray(raw())
    whole[whole.index(b"Run: python3")] ^= 1
    return bytes(whole)


@case("INVALID", 0)
def a_comment_at_the_end_of_the_zip() -> bytes:
    return raw()[:-2] + b"\x02\0hi"


@case("INVALID", 0)
def a_file_that_does_not_belong() -> bytes:
    return zipped(sealed({**exported(told()), "more.txt": b"hello"}))


@case("INVALID", 0)
def a_section_in_a_folder_of_its_own() -> bytes:
    return zipped(sealed({**exported(told()), "sections/../x.json": b'{"v":1}'}))


def without(name: str) -> Case:
    def make() -> bytes:
        files = exported(told())
        return zipped(sealed({label: content for label, content in files.items() if label != name}))

    return Case(f"without_{name}", "INVALID", 0, make)


CASES.extend(
    without(name)
    for name in ("bundle.json", "trust.json", "entries.jsonl", "checkpoint.note", "private.jsonl", "README.txt")
)


@case("INVALID", 0)
def a_manifest_of_other_files() -> bytes:
    files = exported(told())
    return zipped(replaced(files, "README.txt", b"Run", b"Ran"))


@case("INVALID", 0)
def a_page_that_was_changed() -> bytes:
    return zipped(replaced(exported(told()), "index.html", b"<p>End</p>", b"<p>Fin</p>"))


@case("INVALID", 0)
def a_page_with_other_data() -> bytes:
    return zipped(replaced(exported(told()), "index.html", b"Run: python3", b"Run: python2"))


@case("INVALID", 0)
def a_page_without_a_place_for_data() -> bytes:
    return zipped(replaced(exported(told()), "index.html", b'id="bundle"', b'id="bungle"'))


def without_data(files: Files) -> Files:
    head, _, rest = files["index.html"].partition(b'id="bundle">')
    return {**files, "index.html": head + b'id="bundle">null</script>' + rest.partition(b"</script>")[2]}


@case("VALID")
def a_page_without_data() -> bytes:
    return zipped(without_data(exported(told())))


@case("INVALID", 0)
def a_byte_order_mark_that_no_copy_gives_away() -> bytes:
    files = exported(told())
    return zipped(without_data(sealed({**files, "bundle.json": b"\xef\xbb\xbf" + files["bundle.json"]})))


# Rule 0: the form of the files


@edited(0)
def a_space_in_json(files: Files) -> Files:
    return replaced(files, "bundle.json", b'"v":1', b'"v": 1')


@edited(0)
def a_key_twice(files: Files) -> Files:
    return replaced(files, "bundle.json", b'"v":1', b'"v":1,"v":1')


@edited(0)
def a_number_of_two_to_the_fifty_three(files: Files) -> Files:
    return replaced(files, "anchors.jsonl", b'"size":', b'"size":900719925474099')


@edited(0)
def a_number_too_large_where_any_may_stand(files: Files) -> Files:
    return replaced(files, "sections/incident.json", b'{"status"', b'{"n":9007199254740992,"status"')


@edited(0)
def a_number_with_a_fraction(files: Files) -> Files:
    return replaced(files, "bundle.json", b'"v":1', b'"v":1.0')


@edited(0)
def text_that_is_not_nfc(files: Files) -> Files:
    return replaced(files, "private.jsonl", b"Somebody", "Some\u0301body".encode())


@edited(0)
def an_escape_that_is_not_needed(files: Files) -> Files:
    return replaced(files, "private.jsonl", b"Somebody", b"\\u0053omebody")


@edited(0)
def bytes_that_are_not_text(files: Files) -> Files:
    return replaced(files, "private.jsonl", b"Somebody", b"\xff\xfeebody")


@edited(0)
def a_byte_order_mark(files: Files) -> Files:
    return {**files, "bundle.json": b"\xef\xbb\xbf" + files["bundle.json"]}


@edited(0)
def a_line_end_in_a_json_file(files: Files) -> Files:
    return {**files, "bundle.json": files["bundle.json"] + b"\n"}


@edited(0)
def a_last_line_without_its_end(files: Files) -> Files:
    return {**files, "entries.jsonl": files["entries.jsonl"][:-1]}


@edited(0)
def an_empty_line(files: Files) -> Files:
    return {
        **with_about(files, entries=len(lines_of(files, "entries.jsonl")) + 1),
        "entries.jsonl": files["entries.jsonl"] + b"\n",
    }


@edited(0)
def an_unknown_version(files: Files) -> Files:
    return with_about(files, v=2)


@edited(0)
def an_unknown_field(files: Files) -> Files:
    return with_about(files, more=1)


@edited(0)
def a_true_in_place_of_a_number(files: Files) -> Files:
    return with_about(files, size=True)


@edited(0)
def a_count_of_lines_that_is_wrong(files: Files) -> Files:
    return with_about(files, entries=1)


@edited(0)
def a_hash_with_bits_to_spare(files: Files) -> Files:
    salt = lines_of(files, "private.jsonl")[0]["salt"]
    return with_line(files, "private.jsonl", 0, salt=salt[:-1] + "B")


@edited(0)
def json_nested_a_thousand_deep(files: Files) -> Files:
    deep = b'{"v":1,"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    return {**files, "sections/incident.json": deep}


@edited(0)
def a_key_that_the_trust_file_names_twice(files: Files) -> Files:
    start = files["trust.json"].index(b'{"algorithm"')
    end = files["trust.json"].index(b"}", start) + 1
    key = files["trust.json"][start:end]
    return replaced(files, "trust.json", key, key + b"," + key)


# Rule 1: notes


def note_case(name: str, change: Callable[[str], str]) -> None:
    def make() -> bytes:
        files = exported(told())
        text = files["checkpoint.note"].decode()
        return zipped(sealed({**files, "checkpoint.note": change(text).encode()}))

    CASES.append(Case(name, "INVALID", 1, make))


def _with_signature(text: str, at: int) -> str:
    head, _, line = text.rpartition(" ")
    signed = bytearray(b64decode(line))
    signed[at] ^= 1
    return f"{head} {b64encode(signed).decode()}\n"


note_case("a_signature_that_does_not_fit", lambda text: _with_signature(text, 20))
note_case("a_signature_by_an_unknown_key", lambda text: _with_signature(text, 0))
note_case("a_note_signed_twice_by_one_key", lambda text: text + text.splitlines()[-1] + "\n")
note_case("a_note_with_windows_line_ends", lambda text: text.replace("\n", "\r\n"))
note_case("a_note_with_one_line_more", lambda text: text.replace("\n\n", "\nmore\n\n", 1))
note_case("a_note_with_a_leading_zero", lambda text: text.replace("\n", "\n0", 1))
note_case("a_note_with_bytes_after_it", lambda text: text + "x")
note_case("a_note_without_its_last_line_end", lambda text: text[:-1])
note_case("a_note_without_a_signature", lambda text: text.partition("\n\n")[0] + "\n\n")
note_case("a_note_of_another_log", lambda text: text.replace("7f3a", "7f3b"))
note_case("a_note_of_another_size", lambda text: text.replace("\n1", "\n2", 1))
note_case("an_empty_note", lambda text: "")


@edited(1)
def an_older_note_that_is_not_signed(files: Files) -> Files:
    note = lines_of(files, "notes.jsonl")[0]["note"]
    return with_line(files, "notes.jsonl", 0, note=_with_signature(note, 30))


@edited(1)
def a_bundle_that_names_another_size(files: Files) -> Files:
    return with_about(files, size=3)


# Rule 2: older notes


@edited(2)
def older_notes_out_of_order(files: Files) -> Files:
    return with_lines(files, "notes.jsonl", reversed(lines_of(files, "notes.jsonl")))


@edited(2)
def a_consistency_proof_that_is_wrong(files: Files) -> Files:
    proof = lines_of(files, "notes.jsonl")[0]["proof"]
    return with_line(files, "notes.jsonl", 0, proof=[flipped(proof[0]), *proof[1:]])


@edited(2)
def a_consistency_proof_too_long(files: Files) -> Files:
    proof = lines_of(files, "notes.jsonl")[0]["proof"]
    return with_line(files, "notes.jsonl", 0, proof=[*proof, proof[0]])


@edited(2)
def a_consistency_proof_too_short(files: Files) -> Files:
    proof = lines_of(files, "notes.jsonl")[0]["proof"]
    return with_line(files, "notes.jsonl", 0, proof=proof[:-1])


@retold(2)
def a_log_written_anew_with_the_stolen_key() -> Told:
    story = told()
    text = f"{story.forge.origin}\n2\n{b64encode(bytes(32)).decode()}\n"
    story.forge.kept[2] = sign_note(text, story.forge.origin, story.forge.keys)
    return story
