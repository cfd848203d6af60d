"""Files of histograms and means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.exchange.json_array import LONGEST_ENTRY
from annotation.exchange.reading import Histogram, MeanScore, VoteFileError, Wrong
from annotation.exchange.records import HistogramRecord
from annotation.exchange.registry import FORMATS, READERS
from tests.annotation.exchange.vote_files import counts, names, read, read_bytes, why

TEN = (0, 0, 1, 2, 3, 4, 3, 2, 1, 0)
TEN_TEXT = "0 0 1 2 3 4 3 2 1 0"


def histograms(scores: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(counts, min_size=scores, max_size=scores).filter(any).map(tuple)


def written(name: str, rows: list[HistogramRecord], *, for_excel: bool = False) -> bytes:
    return b"".join(FORMATS[name].write(rows, for_excel=for_excel))


class TestHistogramCsv:
    @given(
        data=st.data(),
        scale=st.tuples(st.integers(0, 9), st.integers(1, 12)).map(lambda two: (two[0], two[0] + two[1])),
        for_excel=st.booleans(),
    )
    def test_histograms_that_were_written_are_read_again(
        self, data: Any, scale: tuple[int, int], for_excel: bool
    ) -> None:
        one = st.builds(
            HistogramRecord, file=names, counts=histograms(scale[1] - scale[0] + 1), lowest=st.just(scale[0])
        )
        rows = data.draw(st.lists(one, min_size=1, max_size=5))
        found = read_bytes("histogram-csv", written("histogram-csv", rows, for_excel=for_excel), scale)
        assert [HistogramRecord(row.photo, row.counts, scale[0]) for row in found] == rows

    def test_the_header_has_the_scores_of_the_scale(self) -> None:
        data = written(
            "histogram-csv", [HistogramRecord("=a.jpg", (1, 2, 0), 0), HistogramRecord("b.jpg", (0, 0, 1), 0)]
        )
        assert data == b"file,0,1,2\r\n'=a.jpg,1,2,0\r\nb.jpg,0,0,1\r\n"
        assert written("histogram-csv", []) == b"file\r\n"

    def test_rows_with_different_scales_are_no_file(self) -> None:
        for other in (HistogramRecord("b", (1, 2), 1), HistogramRecord("b", (1, 2, 0), 0)):
            with pytest.raises(ValueError, match="one scale"):
                written("histogram-csv", [HistogramRecord("a", (1, 2, 0), 1), other])

    @pytest.mark.parametrize("style", ["{}", "score{}", "score_{}", "Score {}"])
    def test_each_column_is_for_the_score_in_its_name_in_any_order(self, style: str) -> None:
        header = ["image", *(style.format(score) for score in (3, 1, 2)), "tag"]
        assert read("histogram-csv", ";".join(header) + "\na.jpg;30;10;20;x\n", (1, 3)) == [
            Histogram(2, "a.jpg", (10, 20, 30))
        ]

    @pytest.mark.parametrize(
        ("header", "scale", "message"),
        [
            ("file,1,2,3", (1, 5), "needs the columns file .*It has file, 1, 2, 3"),
            ("file,1,2,3", (1, 2), "a column for the score 3, but the scale is from 1 to 2"),
            ("file,0,1,2", (1, 2), "a column for the score 0, but the scale is from 1 to 2"),
            ("file,1,2,score2", (1, 2), "2 columns for the score 2"),
            ("file,1,2,2", (1, 2), "2 columns for the score 2"),
            ("1,2", (1, 2), "needs the columns file"),
            ("file", (1, 2), "It has file"),
        ],
    )
    def test_a_header_that_does_not_fit_the_scale_is_refused(
        self, header: str, scale: tuple[int, int], message: str
    ) -> None:
        with pytest.raises(VoteFileError, match=message):
            read("histogram-csv", f"{header}\na.jpg,1,1,1\n", scale)

    def test_the_shifted_columns_of_ava_are_not_misread(self) -> None:
        """Ten columns score2 to score11 are AVA's scores 1 to 10, so they have a format of their own."""
        text = ",".join(["image_id", *(f"score{place}" for place in range(2, 12))]) + "\n687,1,2,3,4,5,6,7,8,9,10\n"
        for scale in ((1, 10), (2, 10)):
            with pytest.raises(VoteFileError, match="format ava-csv"):
                read("histogram-csv", text, scale)
        assert read("ava-csv", text) == [Histogram(2, "687", (1, 2, 3, 4, 5, 6, 7, 8, 9, 10))]
        as_it_stands = read("histogram-csv", text.replace("image_id", "file"), (2, 11))
        assert as_it_stands == [Histogram(2, "687", (1, 2, 3, 4, 5, 6, 7, 8, 9, 10))]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("a.jpg,0,0", "The line has no votes."),
            ("a.jpg,-1,1", "The number of votes is -1, which is not a whole number from 0"),
            ("a.jpg,0.5,1", "The number of votes is 0.5, which is not a whole number"),
            ("a.jpg,1e308,1", "The number of votes is 1e308"),
            ("a.jpg,1000000000,1", "The line has 1,000,000,001 votes."),
            ("a.jpg,,1", "The number of votes is missing."),
            ("a.jpg,x,1", 'The number of votes is "x", which is not a number'),
            (",1,1", "The name of the photo is missing."),
            ("a.jpg,1", "The line has 2 cells, but the header has 3."),
        ],
    )
    def test_a_wrong_line_is_one_sentence(self, line: str, message: str) -> None:
        assert message in why("histogram-csv", f"file,1,2\nb.jpg,1,1.0\n{line}\n", (1, 2))


class TestAva:
    @given(
        rows=st.lists(
            st.builds(
                HistogramRecord,
                # A name at the ends of which no space gets lost, and without a line end or an extension.
                file=names.map(lambda name: f"x{name.translate({10: 32, 13: 32, 46: 95})}y"[-500:]).filter(
                    lambda name: name == name.strip() and "\\" not in name
                ),
                counts=histograms(10),
                lowest=st.just(1),
            ),
            min_size=1,
            max_size=5,
        )
    )
    def test_histograms_that_were_written_are_read_again(self, rows: list[HistogramRecord]) -> None:
        found = read_bytes("ava", written("ava", rows))
        assert [HistogramRecord(row.photo, row.counts, 1) for row in found] == rows

    def test_a_line_as_the_data_set_has_it(self) -> None:
        assert read("ava", f"1 953619 {TEN_TEXT} 1 22 1396\n") == [Histogram(1, "953619", TEN)]
        assert read("ava", f" 1\t95  {TEN_TEXT}  1 22 1396 \n") == [Histogram(1, "95", TEN)]

    def test_names_are_written_without_their_extension(self) -> None:
        files = ["95.jpg", "d/a b.tar.gz", ".hidden", "plain", "=1.jpg", "a\nb.jpg"]
        data = written("ava", [HistogramRecord(file, TEN, 1) for file in files])
        assert data.decode().splitlines()[0] == f"1 95 {TEN_TEXT} 0 0 0"
        names_read = [row.photo for row in read_bytes("ava", data)]
        assert names_read == ["95", "d/a b.tar", ".hidden", "plain", "=1", "a\\nb"]

    def test_another_scale_is_no_ava(self) -> None:
        for row in (HistogramRecord("a", TEN, 0), HistogramRecord("a", TEN[:9], 1)):
            with pytest.raises(ValueError, match="1 to 10"):
                written("ava", [row])

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            (f"1 {TEN_TEXT} 1 22 1396", "The line has 14 columns, but the format has 15, separated by spaces."),
            ("1,95,0,0,1,2,3,4,3,2,1,0,1,22,1396", "The line has 1 columns"),
            (f"1 95 {TEN_TEXT[:-1]}x 1 22 1396", 'The number of votes is "x"'),
            ("1 95 0 0 0 0 0 0 0 0 0 0 1 22 1396", "The line has no votes."),
        ],
    )
    def test_a_wrong_line_is_one_sentence(self, line: str, message: str) -> None:
        assert message in why("ava", f"{line}\n2 96 {TEN_TEXT} 0 0 0\n")


class TestAvaJson:
    def test_entries_are_read_across_the_pieces_of_the_file(self) -> None:
        entries = [{"image_id": str(number), "label": list(TEN)} for number in range(20_000)]
        rows = read("ava-json", json.dumps(entries, indent=2))
        assert rows == [Histogram(number + 1, str(number), TEN) for number in range(20_000)]

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ("7", "The entry is not a JSON object with image_id and label."),
            ("null", "The entry is not a JSON object"),
            ('{"image_id": "1"}', "The label is not a list of ten numbers of votes."),
            ('{"image_id": "1", "label": [1, 2]}', "The label is not a list of ten"),
            ('{"image_id": "1", "label": "1234567890"}', "The label is not a list of ten"),
            (
                f'{{"image_id": "1", "label": {[True] * 10}}}'.lower(),
                "The number of votes is neither a text nor a number",
            ),
            ('{"image_id": "1", "label": [0,0,0,0,0,0,0,0,0,0.5]}', "The number of votes is 0.5"),
            ('{"label": [0,0,0,0,0,0,0,0,0,1]}', "The name of the photo is missing."),
            ('{"image_id": [], "label": [0,0,0,0,0,0,0,0,0,1]}', "The image_id is neither a text nor a number."),
        ],
    )
    def test_a_wrong_entry_is_one_sentence(self, entry: str, message: str) -> None:
        right = json.dumps({"image_id": "2", "label": TEN})
        rows = read("ava-json", f"[{right}, {entry}, {right}]")
        assert [type(row) for row in rows] == [Histogram, Wrong, Histogram]
        assert rows[1].line == 2
        assert message in rows[1].why

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{}", "The file is not a JSON array. It cannot be read at its start."),
            ("[", "It cannot be read at its start."),
            ("[1, 2", "It cannot be read after entry 2."),
            ("[1, 2 3]", "It cannot be read after entry 2."),
            ("[1, ]", "It cannot be read after entry 1."),
            ("[1] x", "It cannot be read after entry 1."),
            ("[] []", "It cannot be read at its start."),
            ("[1, {]", "It cannot be read after entry 1."),
            ("[" * 200_000, "It cannot be read at its start."),
            ("[1, " + "9" * 5000 + "]", "It cannot be read after entry 1."),
            ('[1, "' + "x" * (LONGEST_ENTRY + 100_000) + '"]', "It cannot be read after entry 1."),
        ],
    )
    def test_a_file_that_is_no_array_is_one_sentence(self, text: str, message: str) -> None:
        with pytest.raises(VoteFileError) as error:
            read("ava-json", text)
        assert message in str(error.value)

    def test_an_empty_array_has_no_rows(self) -> None:
        assert read("ava-json", " [ \n ] \n") == []


class TestDpChallenge:
    def test_a_line_as_the_data_set_has_it(self) -> None:
        assert read("dpchallenge", "1 10007 3 7.0 1 0 0 0 0 0 0 0 0 2\r\n") == [
            Histogram(1, "10007", (1, 0, 0, 0, 0, 0, 0, 0, 0, 2))
        ]

    def test_a_line_that_says_that_the_votes_are_not_known_is_left_out(self) -> None:
        unknown = "1 24065 0 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1\n"
        assert read("dpchallenge", unknown + "2 20 2 10 0 0 0 0 0 0 0 0 0 2\n") == [
            Histogram(2, "20", (0, 0, 0, 0, 0, 0, 0, 0, 0, 2))
        ]
        assert "-1" in why("dpchallenge", unknown.replace(" 0 -1", " 1 -1"))

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("1 20 2 10 0 0 0 0 0 0 0 0 2", "The line has 13 columns, but the format has 14, separated by spaces."),
            ("1 20 3 10 0 0 0 0 0 0 0 0 0 2", "The line says 3 votes, but its ten numbers add up to 2."),
            ("1 20 2 1 0 0 0 0 0 0 0 0 0 2", "the mean is 1, but its ten numbers have the mean 10.0000."),
            ("1 20 2 11 0 0 0 0 0 0 0 0 0 2", "The mean is 11, but the scale is from 1 to 10."),
            ("1 20 0 0 0 0 0 0 0 0 0 0 0 0", "The line has no votes."),
        ],
    )
    def test_a_wrong_line_is_one_sentence(self, line: str, message: str) -> None:
        assert message in why("dpchallenge", line)


class TestKoniq:
    HEADER = "image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set\n"

    @given(
        given_counts=st.lists(st.integers(0, 400), min_size=5, max_size=5).filter(any), digits=st.sampled_from([6, 12])
    )
    def test_fractions_become_the_numbers_of_votes(self, given_counts: list[int], digits: int) -> None:
        total = sum(given_counts)
        cells = [f"{count / total:.{digits}f}" for count in given_counts]
        text = f"{self.HEADER}a.jpg,{','.join(cells)},{total},70.5,0.5,test\n"
        assert read("koniq", text, (1, 5)) == [Histogram(2, "a.jpg", tuple(given_counts))]

    def test_numbers_of_votes_are_read_as_they_are(self) -> None:
        text = f"{self.HEADER}a.jpg,0,0,25,73,7,105,77.4,0.5,training\nb.jpg,0,0,0,1,0,1,80,0,test\n"
        assert read("koniq", text, (1, 5)) == [
            Histogram(2, "a.jpg", (0, 0, 25, 73, 7)),
            Histogram(3, "b.jpg", (0, 0, 0, 1, 0)),
        ]

    @pytest.mark.parametrize(
        ("cells", "message"),
        [
            ("0.5,0.5,0,0,0,5", "c1 to c5 times 5 votes are 2.5, 2.5, 0, 0, 0. These are no whole numbers of votes."),
            ("0.2,0.2,0.2,0.2,0,5", "c1 to c5 times 5 votes add up to 4 votes."),
            ("-1,2,0,0,0,1", "c1 to c5 must be from 0 to 1."),
            ("1e308,0,0,0,0,5", "c1 to c5 must be from 0 to 5."),
            ("0,0,0,0,0,0", "The line has no votes."),
            ("0,0,0,1,x,1", 'The c5 is "x", which is not a number'),
            ("0,0,0,1,0,1.5", "The c_total is 1.5, which is not a whole number"),
        ],
    )
    def test_a_wrong_line_is_one_sentence(self, cells: str, message: str) -> None:
        assert message in why("koniq", f"{self.HEADER}a.jpg,{cells},1,1,x\n", (1, 5))


class TestMeans:
    def test_means_with_and_without_deviation_and_votes(self) -> None:
        text = "mos,file,votes,sos\n61.5,a.jpg,12.0,3.5\n0,b.jpg,,\n1e2,c.jpg,1,0\n"
        assert read("mean-csv", text, (0, 100)) == [
            MeanScore(2, "a.jpg", 61.5, 3.5, 12),
            MeanScore(3, "b.jpg", 0.0),
            MeanScore(4, "c.jpg", 100.0, 0.0, 1),
        ]
        assert read("mean-csv", "file;mos\na.jpg;3\n", (1, 5)) == [MeanScore(2, "a.jpg", 3.0)]

    @pytest.mark.parametrize(
        ("cells", "message"),
        [
            ("100.1,,", "The mos is 100.1, but the scale is from 0 to 100."),
            ("1e308,,", "The mos is 1e308, but the scale is from 0 to 100."),
            (",,", "The mos is missing."),
            ('"61,5",,', 'The mos is "61,5", which is not a number such as 7 or 6.5.'),
            ("50,-1,", "The sos is -1, but a standard deviation on this scale is from 0 to 100."),
            ("50,101,", "The sos is 101, but a standard deviation"),
            ("50,1,0", "The mean has 0 votes."),
            ("50,1,1.5", "The number of votes is 1.5, which is not a whole number"),
        ],
    )
    def test_a_wrong_line_is_one_sentence(self, cells: str, message: str) -> None:
        assert message in why("mean-csv", f"file,mos,sos,votes\na.jpg,{cells}\n", (0, 100))

    @pytest.mark.parametrize("header", ["Image name,MOS", "image_id,MOS,Brightness"])
    def test_the_scale_of_spaq_is_that_of_the_caller(self, header: str) -> None:
        line = "1.jpg,61.5" + ",4" * header.count("Bright")
        assert read("spaq", f"{header}\n{line}\n", (0, 100)) == [MeanScore(2, "1.jpg", 61.5)]
        assert "from 0 to 10." in why("spaq", f"{header}\n{line}\n", (0, 10))
        assert READERS["spaq"].file_scale is None
