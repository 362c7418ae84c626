from __future__ import annotations

from pathlib import Path

import pytest

from modeltap.compat.model import VARIABLE, Model
from modeltap.errors import SettingsError


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``azureml-models`` as the original lays it out, with two models in it."""
    folder = tmp_path / "azureml-models"
    for path in ("churn/2/model.pkl", "churn/10/model.pkl", "wine/1/model/MLmodel", "wine/1/notes.txt"):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    monkeypatch.setenv(VARIABLE, str(folder))
    return folder


def test_the_latest_version_is_taken_and_its_only_file(models: Path):
    assert Model.get_model_path("churn") == str(models / "churn/10/model.pkl")


def test_a_version_can_be_named(models: Path):
    assert Model.get_model_path("churn", version=2) == str(models / "churn/2/model.pkl")
    assert Model.get_model_path("churn", "2", _workspace=object()) == str(models / "churn/2/model.pkl")


def test_a_version_with_several_files_is_its_folder(models: Path):
    assert Model.get_model_path("wine") == str(models / "wine/1")


def test_the_only_model_of_a_service_is_found_from_its_own_folder(models: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(VARIABLE, str(models / "churn/2"))
    assert Model.get_model_path("churn") == str(models / "churn/2/model.pkl")
    assert Model.get_model_path("churn", version=2) == str(models / "churn/2/model.pkl")


def test_a_file_in_the_folder_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "model.pkl").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert Model.get_model_path("model.pkl") == str(tmp_path / "model.pkl")


@pytest.mark.parametrize("name", ["unknown", "../churn", "/etc/passwd", ""])
def test_what_does_not_stand_below_the_folder_is_not_found(models: Path, name: str):
    with pytest.raises(SettingsError, match=r"nothing of that name stands below AZUREML_MODEL_DIR"):
        Model.get_model_path(name)


def test_an_unknown_version_is_not_found(models: Path):
    with pytest.raises(SettingsError, match="finding the model 'churn', version 3: nothing"):
        Model.get_model_path("churn", version=3)


def test_without_the_variable_the_error_says_what_to_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(SettingsError, match="AZUREML_MODEL_DIR is not set; set it"):
        Model.get_model_path("churn")
