"""From figures to what people read: a Markdown report and a plot."""
