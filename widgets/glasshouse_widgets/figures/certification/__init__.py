"""The pictures of certified training: what bounds allow against what is reached, for one image, and how all fare over the training."""

from glasshouse_widgets.figures.certification.progress import accuracies, radii, tightness
from glasshouse_widgets.figures.certification.region import layers, pair, region

__all__ = ["accuracies", "layers", "pair", "radii", "region", "tightness"]
