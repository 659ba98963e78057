"""Pure drawings: events in, plain Plotly dicts out. No state, no toolkit, at most 20,000 points a figure."""
