"""Numbers with a typographic minus, in Python and in templates."""

from django.template import Context, Template

from annotation.measures.signs import minus, signed


def test_a_negative_number_has_a_minus_and_a_positive_one_a_plus() -> None:
    assert [signed(value) for value in (-0.354, 0.354, 0.0)] == ["−0.35", "+0.35", "+0.00"]
    assert signed(-1.25, 1) == "−1.2"
    assert minus(-7) == "−7"


def test_the_filter_follows_the_format_of_numbers() -> None:
    template = Template("{% load minus %}{{ value|floatformat:2|minus }}")
    assert template.render(Context({"value": -0.354})) == "−0.35"
    assert template.render(Context({"value": 0.354})) == "0.35"
    assert template.render(Context({"value": None})) == ""
