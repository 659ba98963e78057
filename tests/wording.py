"""What a reader sees of a figure's words: Plotly's tags and entities taken out."""

from __future__ import annotations

import html
import re


def plain(text: str) -> str:
    return html.unescape(re.sub("<[^>]*>", "", text.replace("<br>", "\n"))).replace("\u00a0", " ")
