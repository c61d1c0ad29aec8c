"""Pasted code really runs in the kernel, on the live data."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

SETUP = """
import numpy as np, pandas as pd, polars as pl
sales = pd.DataFrame({"city": ["Rome", "Oslo", "Rome", "Bern"], "revenue": [1.0, 2.0, 3.5, 4.0]})
indexed = sales.set_index("city")
lazy_free = pl.DataFrame({"city": ["Rome", "Oslo", "Rome", "Bern"], "revenue": [1.0, 2.0, 3.5, 4.0]})
revenue = pd.Series([1.0, 2.0, 3.5, 4.0], name="revenue")
matrix = np.array([[1.0, 2.0], [3.5, 4.0]])
vector = np.array([1.0, 2.0, 3.5, 4.0])
records = [{"city": "Rome", "revenue": 1.0}, {"city": "Oslo", "revenue": 9.5}]
frames = {"train": sales, "test": sales.head(1)}
class Holder: pass
holder = Holder(); holder.frame = sales
"""
CSV = "city,revenue\nRome,1.0\nOslo,2.0\nRome,3.5\nBern,4.0\n"


@pytest.fixture(scope="module", autouse=True)
def _data(notebook: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    notebook.do("%config GeminiExecMagics.model = 'offline-planner'")
    (notebook.folder / "data").mkdir()
    (notebook.folder / "data" / "sales.csv").write_text(CSV)
    (notebook.folder / "with a space.csv").write_text(CSV)


@pytest.fixture(autouse=True)
def _fresh(notebook: Any) -> None:
    notebook.do(SETUP)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table outside the notebook's folder."""
    path = tmp_path_factory.mktemp("elsewhere") / "sales.csv"
    path.write_text(CSV)
    return path


def pasted(ran: Any) -> str:
    """The text of the one new cell."""
    [payload] = [payload for payload in ran.payload if payload["source"] == "set_next_input"]
    assert payload["replace"] is False
    return str(payload["text"])


def check(notebook: Any, prompt: str, number: str, changed: str = "", after: str = "") -> str:
    """Ask, paste, and run what was pasted: it gives the answer's number, and after a change of the data another one."""
    ran = notebook.run(f"%%gemini_exec --paste\n{prompt}")
    assert ran.status == "ok", ran.of("error")
    assert number in ran.text
    code = pasted(ran)
    assert number in notebook.do(code), code
    if changed:
        notebook.do(changed)
        assert after in notebook.do(code), "the code runs on the live data, not on a copy of it"
    return code


def test_a_pandas_frame(notebook: Any) -> None:
    check(notebook, "Mean revenue in @sales.", "2.62", "sales = sales.assign(revenue=10.25)", "10.25")


def test_a_pandas_frame_with_an_index(notebook: Any) -> None:
    check(notebook, "Mean revenue in @indexed.", "2.62", "indexed = indexed.assign(revenue=10.25)", "10.25")


def test_a_polars_frame(notebook: Any) -> None:
    changed = "lazy_free = lazy_free.with_columns(revenue=pl.lit(10.25))"
    check(notebook, "Mean revenue in @lazy_free.", "2.62", changed, "10.25")


def test_a_polars_frame_stays_one(notebook: Any) -> None:
    check(notebook, "Mean revenue by city in @lazy_free.", "2.25")
    assert notebook.value("type(lazy_free).__module__.split('.')[0]") == "polars"


def test_a_series(notebook: Any) -> None:
    check(notebook, "What is the mean of revenue in @revenue?", "2.62", "revenue = revenue * 0 + 10.25", "10.25")


def test_an_array(notebook: Any) -> None:
    check(notebook, "What is the mean of vector in @vector?", "2.62", "vector = vector * 0 + 10.25", "10.25")


def test_a_list_of_dicts(notebook: Any) -> None:
    changed = "records = [{'city': 'Rome', 'revenue': 10.25}]"
    check(notebook, "Mean revenue in @records.", "5.25", changed, "10.25")
    assert notebook.value("type(records).__name__") == "list"


def test_an_item_of_a_dict(notebook: Any) -> None:
    changed = "frames['train'] = frames['train'].assign(revenue=10.25)"
    check(notebook, 'Mean revenue in @frames["train"].', "2.62", changed, "10.25")


def test_an_attribute(notebook: Any) -> None:
    changed = "holder.frame = holder.frame.assign(revenue=10.25)"
    check(notebook, "Mean revenue in @holder.frame.", "2.62", changed, "10.25")


def test_two_columns(notebook: Any) -> None:
    check(notebook, "Mean revenue by city in @sales[city,revenue].", "2.25")


@pytest.mark.parametrize("name", ["@data/sales.csv", "@./data/sales.csv", '@"with a space.csv"'])
def test_a_file_in_the_folder(notebook: Any, name: str) -> None:
    path = notebook.folder / name.strip('@"')
    code = check(notebook, f"Mean revenue in {name}.", "2.62")
    path.write_text("city,revenue\nRome,10.25\n")
    assert "10.25" in notebook.do(code), "the file is read again"
    path.write_text(CSV)


def test_a_file_elsewhere(notebook: Any, elsewhere: Path) -> None:
    code = check(notebook, f"Mean revenue in @{elsewhere}.", "2.62")
    assert str(elsewhere) in code
    elsewhere.write_text("city,revenue\nRome,10.25\n")
    assert "10.25" in notebook.do(code)
    elsewhere.write_text(CSV)


def test_the_data_stay_as_they_were(notebook: Any) -> None:
    notebook.do("kept = sales.copy(); same = sales; ids = id(sales)")
    check(notebook, "Mean revenue by city in @sales, as a bar chart.", "2.25")
    assert notebook.value("bool(sales.equals(kept)) and id(same) == ids and bool(same.equals(kept))")


def test_a_figure_is_drawn_by_the_pasted_code(notebook: Any) -> None:
    ran = notebook.run("%%gemini_exec --paste\nBar chart of revenue by city in @sales.")
    assert any("image/png" in data for data in ran.outputs)
    again = notebook.run("%matplotlib inline\n" + pasted(ran))
    assert again.status == "ok"
    assert any("image/png" in data for data in again.outputs)


def test_paste_by_number_and_all(notebook: Any) -> None:
    notebook.run("%%gemini_exec\nMean revenue in @sales.")
    by_number, every = pasted(notebook.run("%gemini paste 1")), pasted(notebook.run("%gemini paste"))
    assert by_number == every
    assert "2.62" in notebook.do(every)
    line = notebook.refuses("%gemini paste 9")
    assert "There is no block 9" in line
    assert "There is no block 0" in notebook.refuses("%gemini paste 0")


def test_a_follow_up(notebook: Any) -> None:
    notebook.run("%%gemini_exec\nMean revenue by city in @sales.")
    ran = notebook.run("%%gemini_exec -c --paste\nAs a bar chart.")
    assert ran.status == "ok"
    assert any("image/png" in data for data in ran.outputs)
    assert notebook.run(pasted(ran)).status == "ok"


def test_the_payload_for_the_labextension(notebook: Any) -> None:
    ran = notebook.run("%%gemini_exec --paste=all\nMean revenue in @sales.", live=True)
    [payload] = ran.payload
    assert payload["gemini_exec"]["cell_id"] == "a-cell"
    [cell] = payload["gemini_exec"]["cells"]
    assert (cell["type"], cell["source"]) == ("code", payload["text"])
    origin = cell["metadata"]["gemini_exec"]
    assert origin == {"interaction_id": notebook.value("_gemini.interaction_id"), "place": ANY, "block": 1}
    assert origin["place"].startswith("this computer")


def test_nothing_is_pasted_unasked(notebook: Any) -> None:
    assert notebook.run("%%gemini_exec\nMean revenue in @sales.").payload == []
    declined = notebook.run("%%gemini_exec --paste\nWrite a poem about @sales.")
    assert declined.status == "ok"
    assert declined.payload == []
    assert "I computed nothing" in declined.text
