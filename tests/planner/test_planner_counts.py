"""“How many X”: rows, or different values of a column? What could be either is declined, never guessed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

ANSWERS = [("yes", "no"), ("Y", "N"), ("ja", "nein"), ("true", "false"), ("smokes", "abstains"), ("yes", "no", "never")]


def patients(values: tuple[str, ...] = ("yes", "no")) -> pd.DataFrame:
    rows = range(40)
    return pd.DataFrame(
        {
            "sex": [["F", "M"][(i // 2) % 2] for i in rows],
            "age": [18 + (i * 17) % 50 for i in rows],
            "city": [["Paris", "Lyon", "Nice"][i % 3] for i in rows],
            "smoker": [values[i % 5 % len(values)] for i in rows],
            "hired": [i % 4 == 0 for i in rows],
        }
    )


def sensors() -> pd.DataFrame:
    rows = range(60)
    return pd.DataFrame(
        {
            "sensor_id": [["a", "b", "c"][i % 3] for i in rows],
            "line_no": [i % 4 for i in rows],
            "temperature": [20 + i / 10 for i in rows],
        }
    )


SMOKERS = [
    "How many smokers are there?",
    "How many smokers are there in `people`?",
    "number of smokers",
    "What is the number of smokers?",
    "How many smokers are F",
    "How many smokers are older than 40",
    "How many smokers are there in Paris?",
    "How many smokers by city",
    "How many smokers by sex as a bar chart",
    "Plot the number of smokers by city",
    "number of smokers and mean age by city",
    "Which city has the highest number of smokers?",
    "compare the number of smokers by sex",
    "List the smokers",
    "Which smokers are there?",
    "How many abstainers are there?",
]


@pytest.mark.parametrize("values", ANSWERS, ids=["-".join(values) for values in ANSWERS])
@pytest.mark.parametrize("question", SMOKERS)
def test_values_of_a_yes_no_column_are_not_counted(bench: Any, question: str, values: tuple[str, ...]) -> None:
    ran = bench.plan_only((bench.table_of("people", patients(values)),), question)
    assert ran.declined, f"{ran.text}\n{ran.code}"


def test_the_two_meanings_are_named_and_both_can_be_asked(bench: Any) -> None:
    frame = patients()
    text = bench.run({"people": frame}, "How many smokers are there?").text
    assert "how many rows where `smoker` is `yes`" in text and "how many different `smoker`" in text
    rows = bench.run({"people": frame}, "how many rows where `smoker` is `yes`")
    assert rows.numbers()[-1] == (frame.smoker == "yes").sum()
    assert bench.run({"people": frame}, "how many different `smoker`").numbers() == [2]
    assert "is `F`" in bench.run({"people": frame}, "How many sexes are there?").text
    assert bench.run({"people": frame}, "How many hired are there?").numbers()[-1] == frame.hired.sum()
    assert bench.run({"people": frame}, "how many rows where `hired` is `True`").numbers()[-1] == frame.hired.sum()


@pytest.mark.parametrize("name", ["smoker", "is_smoker", "Smoker?"])
def test_a_table_called_as_its_yes_no_column_does_not_make_smokers_of_all_rows(bench: Any, name: str) -> None:
    table = bench.table_of("smokers", patients().rename(columns={"smoker": name}))
    for question in ("How many smokers are there in smokers?", "number of smokers by city", "How many F smokers"):
        assert bench.plan_only((table,), question).declined, question


@pytest.mark.parametrize(
    "question",
    [
        "How many species are heavier than 4000",
        "How many species are there on Biscoe?",
        "How many islands in 2008",
        "On Biscoe, how many species are there?",
        "number of species by sex in 2008",
    ],
)
def test_with_a_condition_kinds_could_be_rows(bench: Any, question: str) -> None:
    ran = bench.plan_only((bench.table_of("penguins", bench.penguins()),), question)
    assert ran.declined, f"{ran.text}\n{ran.code}"
    assert "Number of rows" in ran.text and "Number of distinct values" in ran.text


def test_different_kinds_are_counted_with_a_condition_too(bench: Any) -> None:
    frame = bench.penguins()
    ran = bench.run({"penguins": frame}, "How many different species are heavier than 4000")
    assert ran.numbers()[-1] == frame[frame.body_mass_g > 4000].species.nunique()
    assert bench.run({"penguins": frame}, "How many different sexes are there?").numbers() == [2]
    assert "female" in bench.run({"penguins": frame}, "What different sexes are there?").printed


SENSORS = [
    "count of sensors",
    "total number of sensors",
    "count the sensors",
    "sensor count",
    "5 first sensors",
    "Which sensor has the highest temperature?",
    "How many sensors have a temperature over 22?",
    "How many lines are there?",
]


@pytest.mark.parametrize("column", ["sensor_id", "sensor name", "sensorID", "sensorid"])
@pytest.mark.parametrize("question", SENSORS)
def test_rows_are_not_what_a_column_tells_apart(bench: Any, question: str, column: str) -> None:
    ran = bench.plan_only((bench.table_of("sensor", sensors().rename(columns={"sensor_id": column})),), question)
    assert ran.declined, f"{ran.text}\n{ran.code}"


KINDS = ["How many sensors are there in `sensor`?", "How many sensor are there in sensor?", "number of sensors"]


@pytest.mark.parametrize("column", ["sensor_id", "sensor name", "sensorID"])
@pytest.mark.parametrize("question", KINDS)
def test_sensors_are_what_their_column_tells_apart(bench: Any, question: str, column: str) -> None:
    frame = sensors().rename(columns={"sensor_id": column})
    assert bench.run({"sensor": frame}, question).numbers() == [3]


def test_rows_and_sensors_are_both_to_be_had(bench: Any) -> None:
    frame = sensors()
    assert bench.run({"sensor": frame}, "How many rows are there in `sensor`?").numbers() == [60]
    assert bench.run({"sensor": frame}, "How many different `sensor_id` are there in `sensor`?").numbers() == [3]


def test_people_may_come_more_than_once(bench: Any) -> None:
    table = bench.table_of("people", patients().assign(person_id=[f"p{i // 2}" for i in range(40)]))
    assert "nunique" in bench.plan_only((table,), "How many persons are there?").code
    assert "nunique" in bench.plan_only((table,), "How many people are there?").code


def test_an_id_for_each_row_makes_rows_and_sensors_the_same(bench: Any) -> None:
    frame = sensors().assign(sensor_id=[f"s{i}" for i in range(60)])
    assert bench.run({"sensor": frame}, "How many sensors are there in `sensor`?").numbers() == [60]
    gap = frame.assign(sensor_id=[None, *frame.sensor_id[1:]])
    assert bench.run({"sensor": gap}, "How many sensors are there in `sensor`?").numbers() == [59]


def test_examples_name_columns_as_they_are(bench: Any) -> None:
    text = bench.run({"penguins": bench.penguins()}, "Why not predict a zebra with penguins?").text
    assert "“What is the mean `bill_length_mm` by `species`?”" in text
