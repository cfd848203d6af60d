"""Sentences that workers have stored in English are shown in the language of the reader."""

import pytest
from django.utils import translation

from annotation.exchange.values import LineError, name_read, number_read, score_read
from annotation.language.stored import stored_shown


def _why(text: str) -> str:
    with pytest.raises(LineError) as raised:
        score_read(text, (1, 10))
    return str(raised.value)


def test_a_sentence_with_figures_is_found_again() -> None:
    assert _why("11") == "The score is 11, but the scale is from 1 to 10."
    with translation.override("de"):
        assert stored_shown(_why("11")) == "Punktzahl: 11. Die Skala geht aber von 1 bis 10."
        assert stored_shown(_why("7.5")) == "Die Punktzahl ist 7.5, aber Bewertungen sind ganze Zahlen."
        assert stored_shown("The file is empty.") == "Die Datei ist leer."


def test_names_of_values_are_translated_and_what_people_wrote_is_not() -> None:
    with translation.override("de"):
        with pytest.raises(LineError) as raised:
            name_read(" ")
        assert stored_shown(str(raised.value)) == "Es fehlt: Name des Fotos."
        with pytest.raises(LineError) as raised:
            number_read("mean %", "mos")
        assert stored_shown(str(raised.value)) == 'mos: "mean %". Das ist keine Zahl wie 7 oder 6.5.'
        inner = "The file is damaged or incomplete (the PNG is incomplete: rows of the picture are missing)."
        shown = "Die Datei ist beschädigt oder unvollständig (das PNG ist unvollständig: Zeilen des Bildes fehlen)."
        assert stored_shown(inner) == shown


@pytest.mark.parametrize("text", ["", "Somebody wrote this.", "50 % of it, and %(name)s too", "x" * 5000])
def test_other_texts_stay_as_they_are(text: str) -> None:
    with translation.override("de"):
        assert stored_shown(text) == text


def test_english_readers_see_what_is_stored() -> None:
    with translation.override("en"):
        assert stored_shown("The file is empty.") == "The file is empty."
    with translation.override(None):
        assert stored_shown("The file is empty.") == "The file is empty."
