"""A trained anomaly detector and the file it is kept in.

The file is a zip of `metadata.json` and `model.skops`. Nothing in it is unpickled, and nothing it says about
itself is trusted: types beyond scikit-learn's own must be on the short list below.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from easynet._version import __version__
from easynet.core.errors import BadData
from easynet.specialists.features import FeatureEncoder
from easynet.specialists.libraries import require

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Scoring = Literal["score_samples", "decision_function", "reconstruction"]

FORMAT = "easynet.detector"
FORMAT_VERSION = 1
TRUSTED_TYPES = (
    "sklearn.tree._tree.Tree",  # isolation forest
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",  # gradient boosting
)
_LARGEST_BYTES = 500_000_000
"""Unpacked; a larger file is not a detector but an attempt to fill the memory."""


@dataclass(frozen=True, repr=False)
class Detector:
    """Tells anomalous rows of a table from normal ones."""

    encoder: FeatureEncoder
    model: Any
    """A scikit-learn pipeline."""
    metadata: Mapping[str, Any]
    """Method, target, classes, threshold, versions and validation metrics."""

    def __repr__(self) -> str:
        about = self.metadata
        quality = about.get("metrics", {}).get("validation_auc")
        measured = "not measured" if quality is None else f"validation AUC {quality:.3f}"
        return (
            f"<Detector {str(about['method']).replace('_', ' ')}, target {about['target']['column']!r},"
            f" {len(self.columns)} columns, {measured}>"
        )

    @property
    def columns(self) -> list[str]:
        """The columns that rows must have."""
        return self.encoder.columns

    @property
    def threshold(self) -> float:
        """A row that scores above it is called an anomaly."""
        return float(self.metadata["threshold"])

    def score(self, rows: "pd.DataFrame | Sequence[Mapping[str, Any]]") -> "NDArray[np.float64]":
        """How anomalous each row is; higher is more.

        Missing values are replaced by training medians. Raises BadData where a column is missing.
        """
        return self.score_matrix(self.encoder.matrix(self._table(rows)))

    def predict(self, rows: "pd.DataFrame | Sequence[Mapping[str, Any]]") -> list[str]:
        """The class of each row, in the words of the training data."""
        target = self.metadata["target"]
        above = self.score(rows) > self.threshold
        return [target["anomaly"] if is_above else target["normal"] for is_above in above]

    def score_matrix(self, matrix: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """The scores of rows that are encoded already."""
        import numpy as np  # heavy

        if len(matrix) == 0:
            return np.zeros(0)
        match self.metadata["scoring"]:
            case "decision_function":
                return np.asarray(self.model.decision_function(matrix), dtype=np.float64)
            case "score_samples":
                return -np.asarray(self.model.score_samples(matrix), dtype=np.float64)
            case "reconstruction":
                scaled = self.model[:-1].transform(matrix)
                rebuilt = self.model[-1].inverse_transform(self.model[-1].transform(scaled))
                return np.asarray(((scaled - rebuilt) ** 2).mean(axis=1), dtype=np.float64)
            case other:
                raise BadData(f"The model file names an unknown way of scoring: {other!r}.")

    def save(self, path: Path) -> Path:
        """Write the detector into one file, and give back its path."""
        import skops.io as sio  # heavy

        about = {**self.metadata, "features": self.encoder.to_json()}
        with ZipFile(path, "w", ZIP_DEFLATED) as archive:
            archive.writestr("metadata.json", json.dumps(about, ensure_ascii=False, indent=1))
            archive.writestr("model.skops", sio.dumps(self.model))
        return path

    def _table(self, rows: "pd.DataFrame | Sequence[Mapping[str, Any]]") -> "pd.DataFrame":
        import pandas as pd  # heavy

        frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
        present = {str(c) for c in frame.columns}
        missing = [c for c in self.columns if c not in present]
        if missing and (len(frame) or len(present)):
            listed = ", ".join(repr(c) for c in missing[:5]) + (" ..." if len(missing) > 5 else "")
            raise BadData(
                f"The rows lack {len(missing)} of the {len(self.columns)} columns that the detector needs:"
                f" {listed}.",
                hint="`detector.columns` lists them all; unknown values may be None.",
            )
        return frame if len(frame) else pd.DataFrame(columns=self.columns)


def new_detector(
    encoder: FeatureEncoder,
    model: Any,
    *,
    method: str,
    family: str,
    scoring: Scoring,
    target: Mapping[str, Any],
) -> Detector:
    """A detector that has learnt but has no threshold yet; it calls everything normal."""
    return Detector(
        encoder,
        model,
        {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "method": method,
            "family": family,
            "scoring": scoring,
            "target": dict(target),
            "threshold": float("1e300"),
            "versions": _versions(),
            "metrics": {},
            "note": "Not a medical device. Learnt from the data named here and valid for data like it only.",
        },
    )


def load_model(path: str | Path) -> Detector:
    """The detector that was saved in a file.

    Raises BadData where the file is missing, is no detector, or holds types that are not trusted.
    """
    require("numpy", "pandas", "sklearn", "skops")
    import skops.io as sio  # heavy
    from skops.io.exceptions import UntrustedTypesFoundException

    file = Path(path)
    about, packed = _read(file)
    try:
        model = sio.loads(packed, trusted=list(TRUSTED_TYPES))
        encoder = FeatureEncoder.from_json(about["features"])
    except UntrustedTypesFoundException as error:
        raise BadData(
            f"{file.name!r} was not loaded: it holds types that EasyNet does not trust.",
            hint="Only load detectors that EasyNet made.",
        ) from error
    except Exception as error:
        made_with = about.get("versions", {})
        raise BadData(
            f"The model in {file.name!r} cannot be restored: {type(error).__name__}: {error}.",
            hint=f"It was made with {made_with}; this is {_versions()}.",
        ) from error
    return Detector(encoder, model, {k: v for k, v in about.items() if k != "features"})


def _read(file: Path) -> tuple[dict[str, Any], bytes]:
    no_detector = BadData(
        f"{file.name!r} is not a detector that EasyNet saved.",
        hint="Give the .easynet file that a run left behind.",
    )
    try:
        with ZipFile(BytesIO(file.read_bytes())) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > _LARGEST_BYTES:
                raise no_detector
            about = json.loads(archive.read("metadata.json"))
            packed = archive.read("model.skops")
    except OSError as error:
        raise BadData(f"The file {str(file)!r} cannot be read: {error.strerror}.") from error
    except (BadZipFile, KeyError, ValueError) as error:
        raise no_detector from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise no_detector
    if about.get("format_version") != FORMAT_VERSION:
        raise BadData(
            f"{file.name!r} was saved by another version of EasyNet (format {about.get('format_version')}).",
            hint="Update EasyNet: pip install -U 'easynet-os[specialists]'",
        )
    return about, packed


def _versions() -> dict[str, str]:
    import sklearn  # heavy
    import skops

    return {
        "easynet": __version__,
        "python": platform.python_version(),
        "scikit-learn": str(sklearn.__version__),
        "skops": str(skops.__version__),
    }
